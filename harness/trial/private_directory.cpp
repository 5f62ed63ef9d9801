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
  std::string name = (parent / fmt::format("{}XXXXXX", prefix)).string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw Unavailable(fmt::format("cannot make a directory in {}: {}; name another in TMPDIR",
                                  parent.string(), std::strerror(errno)));
  }
  path_ = name;
  held_.reset(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  // Unlocked for a moment, so that another process that begins now might take it for abandoned.
  if (!held_.valid() || lock_file(held_.get()) == Locked::by_another ||
      !still_names(path_, held_.get()) || ::chmod(path_.c_str(), 0711) != 0) {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    throw Unavailable(fmt::format("cannot keep the directory {}: try again", path_));
  }
}

PrivateDirectory::~PrivateDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace precipice
