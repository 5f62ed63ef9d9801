#include "harness/store/durable_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "models/options.hpp"
#include "workloads/descriptor.hpp"
#include "workloads/file_lock.hpp"

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

bool is_regular(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/// A device or a pipe: what it is given is not kept under its name.
bool passes_on(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

/// Opened to be written to, whose reader may be slow but has to be there: it is not waited for.
int open_to_pass_on(const std::string& path) {
  Descriptor file(
      retried([&] { return ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); }));
  std::error_code error;
  if (!file.valid() && errno == ENXIO && std::filesystem::is_fifo(path, error)) {
    CannotWrite unread(fmt::format("cannot write {}: it is a pipe that nobody reads", path));
    unread.problem = unread.what();
    throw unread;
  }
  if (!file.valid()) throw CannotWrite(path, errno);
  if (::fcntl(file.get(), F_SETFL, 0) != 0) throw CannotWrite(path, errno);
  return file.release();
}

/// The file that a text is written to before it takes the name of `path`: empty and locked.
int open_part(const std::string& path, const std::string& part) {
  for (;;) {
    Descriptor file(retried([&] {
      return ::open(part.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
    }));
    if (!file.valid()) throw CannotWrite(path, errno);
    if (!is_regular(file.get()))
      throw CannotWrite(
          fmt::format("cannot write {}: {} is no regular file; remove it", path, part));
    if (lock_file(file.get()) == Locked::by_another)
      throw CannotWrite(fmt::format("cannot write {}: another process is writing it", path));
    // It may have been given its name by another process before it was locked.
    if (!still_names(part, file.get())) continue;
    if (::lseek(file.get(), 0, SEEK_END) > 0 &&
        retried([&] { return ::ftruncate(file.get(), 0); }) != 0)
      throw CannotWrite(path, errno);
    ::lseek(file.get(), 0, SEEK_SET);
    return file.release();
  }
}

}  // namespace

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

CannotWrite::CannotWrite(const std::string& path, int error)
    : std::runtime_error(
          fmt::format("cannot write {}: {}: {}", path, std::strerror(error), cure(error))),
      problem(fmt::format("cannot write {}: {}", path, std::strerror(error))) {}

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

Replacement::Replacement(std::string path) : path_(std::move(path)) {
  if (passes_on(path_)) {
    fd_ = open_to_pass_on(path_);
    return;
  }
  temporary_ = path_ + ".part";
  fd_ = open_part(path_, temporary_);
}

Replacement::~Replacement() {
  if (fd_ < 0) return;
  // Before it is closed, while it is still this process's own.
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  ::close(fd_);
}

void Replacement::fail(int error) {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  ::close(std::exchange(fd_, -1));
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
  if (temporary_.empty()) {
    if (::close(std::exchange(fd_, -1)) != 0 && errno != EINTR) throw CannotWrite(path_, errno);
    return;
  }
  if (const int error = sync_file(fd_); error != 0) fail(error);
  // Its content was synced; it is closed afterwards, since that gives back its lock.
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
  ::close(std::exchange(fd_, -1));
  sync_directory_of(path_);
}

void replace_file(const std::string& path, std::string_view text) {
  Replacement replacement(path);
  replacement.write(text);
  replacement.commit();
}

std::string read_file(const std::string& path) {
  const auto cannot = [&](const char* why) {
    return UsageError(fmt::format("cannot read {}: {}", path, why));
  };
  // Not blocking: a pipe would be waited for, and is then refused.
  const Descriptor file(
      retried([&] { return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }));
  if (!file.valid()) throw cannot(std::strerror(errno));
  if (!is_regular(file.get())) throw cannot("it is no regular file");
  constexpr std::size_t kPiece = 1 << 18;
  std::string text;
  for (std::size_t done = 0;;) {
    text.resize(done + kPiece);
    const ssize_t got = retried([&] { return ::read(file.get(), text.data() + done, kPiece); });
    if (got < 0) throw cannot(std::strerror(errno));
    done += static_cast<std::size_t>(got);
    text.resize(done);
    if (got == 0) return text;
  }
}

AppendFile::AppendFile(const std::string& path) : path_(path) {
  fd_ = retried([&] {
    return ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0644);
  });
  if (fd_ < 0) throw CannotWrite(path, errno);
  try {
    if (!is_regular(fd_))
      throw CannotWrite(fmt::format("cannot write {}: it is no regular file", path));
    const Locked lock = lock_file(fd_);
    if (lock == Locked::by_another) throw CannotWrite(path, EWOULDBLOCK);
    locked_ = lock == Locked::yes;
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
    if (got < 0) throw UsageError(fmt::format("cannot read {}: {}", path_, std::strerror(errno)));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

}  // namespace precipice
