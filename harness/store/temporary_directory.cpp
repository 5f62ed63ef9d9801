#include "harness/store/temporary_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "harness/host/environment_variable.hpp"
#include "workloads/file_lock.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

std::string place_of_temporary_directories() {
  const std::string named = environment_variable("TMPDIR").value_or("/tmp");
  std::error_code error;
  const fs::path whole = fs::absolute(named, error);
  return error ? named : whole.string();
}

CannotWrite with_cure(const std::string& problem, const std::string& place) {
  return CannotWrite(
      fmt::format("{}: temporary files go to {}; name a directory with room for them in TMPDIR",
                  problem, place));
}

}  // namespace

TemporaryDirectory::TemporaryDirectory(const std::string& prefix) {
  const std::string place = place_of_temporary_directories();
  std::error_code error;
  for (fs::directory_iterator entry(place, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with(prefix)) remove_abandoned(entry->path());
  }
  for (;;) {
    path_ = fmt::format("{}/{}XXXXXX", place, prefix);
    if (mkdtemp(path_.data()) == nullptr)
      throw with_cure(fmt::format("cannot make a directory in {}: {}", place, std::strerror(errno)),
                      place);
    lock_.reset(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    // Another process may have taken it for abandoned before it was locked.
    if (lock_.valid() && lock_file(lock_.get()) != Locked::by_another &&
        still_names(path_, lock_.get()))
      return;
  }
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code error;
  fs::remove_all(path_, error);
}

CannotWrite TemporaryDirectory::has_no_room(const CannotWrite& failed) const {
  return with_cure(failed.problem.empty() ? failed.what() : failed.problem,
                   fs::path(path_).parent_path());
}

}  // namespace precipice
