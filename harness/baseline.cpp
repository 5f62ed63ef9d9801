#include "harness/baseline.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "harness/durable.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

/// What charts and reports are made of can be made again; and a process that measures is no data.
bool is_data(const fs::path& file) {
  const std::string name = file.filename();
  return !name.ends_with(".part") && name != "under_way" && name != "report.html";
}

}  // namespace

std::string baseline_directory(const std::string& results, const std::string& name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  constexpr std::size_t kLongest = 100;
  if (name.empty() || name.size() > kLongest ||
      name.find_first_not_of(kAllowed) != std::string::npos || name.front() == '.' ||
      name.front() == '-') {
    throw UsageError(fmt::format(
        "baseline '{}': a name has letters, digits, '.', '_' and '-', at most {}, and begins with "
        "a letter or a digit",
        name, kLongest));
  }
  return results + "/baselines/" + name;
}

std::string save_baseline(const std::string& run, const std::string& results,
                          const std::string& name) {
  std::string place = baseline_directory(results, name);
  std::error_code error;
  if (fs::equivalent(run, place, error))
    throw UsageError(fmt::format("{} is the baseline '{}' already", run, name));
  make_directories(results + "/baselines");
  const std::string fresh = fmt::format("{}.new-{}", place, getpid());
  const std::string old = fmt::format("{}.old-{}", place, getpid());
  try {
    make_directories(fresh);
    for (const fs::directory_entry& entry : fs::directory_iterator(run)) {
      if (entry.is_regular_file() && is_data(entry.path()))
        replace_file(fresh + "/" + entry.path().filename().string(), read_file(entry.path()));
    }
    if (fs::exists(place)) fs::rename(place, old);
    fs::rename(fresh, place);
    fs::remove_all(old);
  } catch (const fs::filesystem_error& failed) {
    const bool moved = fs::exists(old, error) && !fs::exists(place, error);
    if (moved) fs::rename(old, place, error);
    fs::remove_all(fresh, error);
    throw CannotWrite(place, failed.code().value());
  } catch (...) {
    fs::remove_all(fresh, error);
    throw;
  }
  return place;
}

}  // namespace precipice
