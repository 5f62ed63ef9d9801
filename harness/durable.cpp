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
#include <utility>

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
    case EIO:
      return "the device fails; choose another place with --out";
    case ENOTDIR:
    case EEXIST:
      return "something that is no directory has that name; choose another place with --out";
    case EWOULDBLOCK:
      return "another precipice is writing this run; wait for it, or start a new run with --fresh";
    default:
      return "choose another place with --out";
  }
}

/// The call again for as long as a signal interrupts it.
template <class Call>
auto retried(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// 0, or errno.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = retried([&] { return ::write(fd, text.data(), text.size()); });
    if (written < 0) return errno;
    if (written == 0) return EIO;  // no file does this; better than to try for ever
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

/// 0, or errno.
int sync_file(int fd) {
  return retried([&] { return ::fsync(fd); }) == 0 ? 0 : errno;
}

void sync_directory_of(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path();
  const int fd = retried([&] {
    return ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  });
  if (fd < 0) throw CannotWrite(path, errno);
  const int error = sync_file(fd);
  ::close(fd);
  // Some file systems cannot sync a directory; their renames are as durable as they get.
  if (error != 0 && error != EINVAL && error != ENOTSUP) throw CannotWrite(path, error);
}

/// False where the file system knows no locks. Throws when another process has it.
bool lock(int fd, const std::string& path) {
  if (retried([&] { return ::flock(fd, LOCK_EX | LOCK_NB); }) == 0) return true;
  if (errno == EWOULDBLOCK) throw CannotWrite(path, EWOULDBLOCK);
  // Where flock is missing these may be there: of the open file, so also between threads.
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (retried([&] { return ::fcntl(fd, F_OFD_SETLK, &whole); }) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) throw CannotWrite(path, EWOULDBLOCK);
  return false;
}

}  // namespace

CannotWrite::CannotWrite(const std::string& path, int error)
    : std::runtime_error(
          fmt::format("cannot write {}: {}: {}", path, std::strerror(error), cure(error))) {}

bool make_new_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0777) != 0) {
    if (errno == EEXIST) return false;
    throw CannotWrite(path, errno);
  }
  sync_directory_of(path);
  return true;
}

void make_directories(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (path.empty() || fs::is_directory(path, error)) return;
  fs::path whole(path);
  if (!whole.has_filename()) whole = whole.parent_path();
  make_directories(whole.parent_path());
  if (!make_new_directory(whole) && !fs::is_directory(whole, error))
    throw CannotWrite(whole, EEXIST);
}

Replacement::Replacement(std::string path) : path_(std::move(path)), temporary_(path_ + ".part") {
  fd_ = retried(
      [&] { return ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644); });
  if (fd_ < 0) throw CannotWrite(path_, errno);
}

Replacement::~Replacement() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void Replacement::fail(int error) {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  ::unlink(temporary_.c_str());
  throw CannotWrite(path_, error);
}

void Replacement::flush() {
  if (const int error = write_all(fd_, buffer_); error != 0) fail(error);
  buffer_.clear();
}

void Replacement::write(std::string_view text) {
  constexpr std::size_t kPiece = 1 << 20;
  buffer_ += text;
  if (buffer_.size() >= kPiece) flush();
}

void Replacement::commit() {
  flush();
  if (const int error = sync_file(fd_); error != 0) fail(error);
  // Interrupted or not, the descriptor is gone, and its content was synced.
  if (::close(std::exchange(fd_, -1)) != 0 && errno != EINTR) fail(errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
  sync_directory_of(path_);
}

void replace_file(const std::string& path, std::string_view text) {
  Replacement replacement(path);
  replacement.write(text);
  replacement.commit();
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
  fd_ =
      retried([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644); });
  if (fd_ < 0) throw CannotWrite(path, errno);
  try {
    locked_ = lock(fd_, path);
    struct stat status {};
    if (::fstat(fd_, &status) != 0) throw CannotWrite(path, errno);
    size_ = static_cast<std::uint64_t>(status.st_size);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

AppendFile::~AppendFile() { ::close(fd_); }

void AppendFile::cut(std::uint64_t bytes) {
  if (retried([&] { return ::ftruncate(fd_, static_cast<off_t>(bytes)); }) != 0)
    throw CannotWrite(path_, errno);
  size_ = bytes;
}

void AppendFile::append(std::string_view line) {
  std::string text(line);
  text += '\n';
  int error = write_all(fd_, text);
  if (error == 0) error = sync_file(fd_);
  if (error != 0) {
    // What cannot be taken back is a torn last line, which a resume cuts off.
    if (retried([&] { return ::ftruncate(fd_, static_cast<off_t>(size_)); }) == 0) sync_file(fd_);
    throw CannotWrite(path_, error);
  }
  size_ += text.size();
}

std::string AppendFile::read(std::uint64_t offset, std::uint64_t bytes) const {
  std::string text(bytes, '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = retried([&] {
      return ::pread(fd_, text.data() + done, text.size() - done,
                     static_cast<off_t>(offset + done));
    });
    if (got < 0)
      throw std::runtime_error(fmt::format("cannot read {}: {}", path_, std::strerror(errno)));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

}  // namespace precipice
