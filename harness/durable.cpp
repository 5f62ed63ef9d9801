#include "harness/durable.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace precipice {
namespace {

std::string cure(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free space there, or choose another place with --out";
    case EFBIG:
      return "raise the limit on file sizes (ulimit -f), or choose another place with --out";
    case EROFS:
      return "the file system is read-only; choose another place with --out";
    case EACCES:
    case EPERM:
      return "this user may not write there; choose another place with --out";
    case ENOTDIR:
    case EEXIST:
      return "something that is no directory has that name; choose another place with --out";
    case EWOULDBLOCK:
      return "another precipice is writing this run; wait for it, or start a new run with --fresh";
    default:
      return "choose another place with --out";
  }
}

/// 0, or errno.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

void sync_directory_of(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path();
  const int fd =
      ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw CannotWrite(path, errno);
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  // Some file systems cannot sync a directory; their renames are as durable as they get.
  if (error != 0 && error != EINVAL && error != ENOTSUP) throw CannotWrite(path, error);
}

}  // namespace

CannotWrite::CannotWrite(const std::string& path, int error)
    : std::runtime_error(
          fmt::format("cannot write {}: {}: {}", path, std::strerror(error), cure(error))) {}

void make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw CannotWrite(path, error.value());
}

void replace_file(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".part";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) throw CannotWrite(path, errno);
  int error = write_all(fd, text);
  if (error == 0 && ::fsync(fd) != 0) error = errno;
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    throw CannotWrite(path, error);
  }
  sync_directory_of(path);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw std::runtime_error(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

AppendFile::AppendFile(const std::string& path) : path_(path) {
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) throw CannotWrite(path, errno);
  struct stat status {};
  int error = 0;
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0 || ::fstat(fd_, &status) != 0) error = errno;
  if (error != 0) {
    ::close(fd_);
    throw CannotWrite(path, error);
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

AppendFile::~AppendFile() { ::close(fd_); }

void AppendFile::cut(std::uint64_t bytes) {
  if (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0) throw CannotWrite(path_, errno);
  size_ = bytes;
}

void AppendFile::append(std::string_view line) {
  std::string text(line);
  text += '\n';
  int error = write_all(fd_, text);
  if (error == 0 && ::fsync(fd_) != 0) error = errno;
  if (error != 0) {
    // What cannot be taken back is a torn last line, which a resume cuts off.
    if (::ftruncate(fd_, static_cast<off_t>(size_)) == 0) ::fsync(fd_);
    throw CannotWrite(path_, error);
  }
  size_ += text.size();
}

}  // namespace precipice
