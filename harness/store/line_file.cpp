#include "harness/store/line_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "harness/store/durable_file.hpp"

namespace precipice {

LineFile::LineFile(std::string path) : path_(std::move(path)) {
  constexpr mode_t kMode = 0666;  // less the umask
  fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode);
  if (fd_ < 0) throw CannotWrite(path_, errno);
}

LineFile::~LineFile() {
  if (fd_ >= 0) ::close(fd_);
}

void LineFile::write(std::string_view lines) {
  while (!lines.empty()) {
    const ssize_t written = ::write(fd_, lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw CannotWrite(path_, errno);
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
}

void LineFile::close() {
  if (::close(std::exchange(fd_, -1)) != 0) throw CannotWrite(path_, errno);
}

}  // namespace precipice
