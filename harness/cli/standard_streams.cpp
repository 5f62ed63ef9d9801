#include "harness/cli/standard_streams.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "harness/store/durable_file.hpp"
#include "models/options.hpp"

namespace precipice::cli {
namespace {

bool output_was_closed = false;

CannotWrite cannot_write(int error) {
  return CannotWrite(fmt::format("cannot write standard output{}{}", error == 0 ? "" : ": ",
                                 error == 0 ? "" : std::strerror(error)));
}

}  // namespace

void occupy_standard_streams() {
  for (int fd = 0; fd < 3; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    if (fd == 1) output_was_closed = true;
    // The lowest free number is this one. For the children too, so without O_CLOEXEC.
    if (::open("/dev/null", O_RDWR) != fd) {
      throw Unavailable(
          fmt::format("standard stream {} is closed, and /dev/null cannot take its place: {}", fd,
                      std::strerror(errno)));
    }
  }
}

void write_standard_output(const std::string& bytes) {
  if (output_was_closed) throw cannot_write(EBADF);
  if (std::ferror(stdout) != 0) throw cannot_write(0);
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size() ||
      std::fflush(stdout) != 0) {
    throw cannot_write(errno);
  }
}

}  // namespace precipice::cli
