#include "workloads/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "workloads/descriptor.hpp"

namespace precipice {
namespace {

/// The call again for as long as a signal interrupts it.
template <class Call>
int retried(Call call) {
  int result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace

Locked lock_file(int fd) noexcept {
  if (retried([&] { return ::flock(fd, LOCK_EX | LOCK_NB); }) == 0) return Locked::yes;
  if (errno == EWOULDBLOCK) return Locked::by_another;
  // Where flock is missing these may be there: of the open file, so also between threads.
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (retried([&] { return ::fcntl(fd, F_OFD_SETLK, &whole); }) == 0) return Locked::yes;
  return errno == EAGAIN || errno == EACCES ? Locked::by_another : Locked::unsupported;
}

bool still_names(const std::string& path, int fd) noexcept {
  struct stat open {
  }, named{};
  return ::fstat(fd, &open) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

bool remove_abandoned(const std::string& path) noexcept try {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return errno == ENOENT;
  if (status.st_uid != ::geteuid()) return false;
  const bool directory = S_ISDIR(status.st_mode);
  if (!directory && !S_ISREG(status.st_mode)) return false;
  const Descriptor held(
      ::open(path.c_str(), (directory ? O_RDONLY | O_DIRECTORY : O_RDWR) | O_NOFOLLOW | O_CLOEXEC));
  if (!held.valid() || lock_file(held.get()) != Locked::yes || !still_names(path, held.get()))
    return false;
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return !error;
} catch (...) {
  return false;
}

}  // namespace precipice
