#include "harness/trial/private_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "models/options.hpp"
#include "workloads/file_lock.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

constexpr int kAttempts = 20;

fs::path temporary_directory() {
  std::error_code failed;
  const fs::path named = fs::temp_directory_path(failed);
  return failed ? fs::path("/tmp") : named;
}

void remove_those_of_dead_processes(const fs::path& parent, std::string_view prefix) {
  std::error_code failed;
  for (fs::directory_iterator entry(parent, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (entry->path().filename().string().starts_with(prefix))
      remove_abandoned(entry->path().string());
  }
}

}  // namespace

PrivateDirectory::PrivateDirectory(std::string_view prefix) {
  const fs::path parent = temporary_directory();
  remove_those_of_dead_processes(parent, prefix);
  // It is unlocked for a moment, in which another process that begins takes it for abandoned.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::string name = (parent / fmt::format("{}XXXXXX", prefix)).string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw Unavailable(fmt::format("cannot make a directory in {}: {}; name another in TMPDIR",
                                    parent.string(), std::strerror(errno)));
    }
    held_.reset(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (held_.valid() && lock_file(held_.get()) != Locked::by_another &&
        still_names(name, held_.get()) && ::fchmod(held_.get(), 0711) == 0) {
      path_ = name;
      return;
    }
    std::error_code ignored;
    fs::remove_all(name, ignored);
  }
  throw Unavailable(
      fmt::format("cannot keep a directory in {}: others remove it", parent.string()));
}

PrivateDirectory::~PrivateDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace precipice
