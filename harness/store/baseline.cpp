#include "harness/store/baseline.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <system_error>

#include "harness/store/durable_file.hpp"
#include "harness/store/part_directory.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

/// What charts and reports are made of can be made again; and a process that measures is no data.
bool is_data(const fs::path& file) {
  const std::string name = file.filename();
  return !name.ends_with(kPartSuffix) && name != "under_way" && name != "report.html";
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
  if (name.find(kPartSuffix) != std::string::npos)
    throw UsageError(
        fmt::format("baseline '{}': '{}' in a name is for what is not finished; "
                    "choose another one",
                    name, kPartSuffix));
  return fmt::format("{}/{}/{}", results, kBaselines, name);
}

std::string save_baseline(const std::string& run, const std::string& results,
                          const std::string& name) {
  std::string place = baseline_directory(results, name);
  std::error_code error;
  if (fs::equivalent(run, place, error))
    throw UsageError(fmt::format("{} is the baseline '{}' already", run, name));
  const std::string all = fs::path(place).parent_path();
  make_directories(all);
  remove_abandoned_parts(all);
  const std::unique_ptr<PartDirectory> fresh = PartDirectory::make(place);
  if (fresh == nullptr)
    throw CannotWrite(
        fmt::format("cannot write {}: another process is saving it; wait for it, or "
                    "remove {}{} where there is none",
                    place, place, kPartSuffix));
  fs::directory_iterator entry(run, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code unseen;
    if (entry->is_regular_file(unseen) && is_data(entry->path()))
      replace_file(fresh->path() + "/" + entry->path().filename().string(),
                   read_file(entry->path()));
  }
  if (error) throw UsageError(fmt::format("cannot read {}: {}", run, error.message()));
  fresh->replace(place);
  return place;
}

}  // namespace precipice
