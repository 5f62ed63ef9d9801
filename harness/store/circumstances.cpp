#include "harness/store/circumstances.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "harness/capacity/service_level.hpp"
#include "harness/host/environment.hpp"
#include "harness/host/examination.hpp"
#include "harness/json.hpp"
#include "harness/trial/trial_runner.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

std::string machine_of(const Json& environment) {
  std::vector<std::string> parts;
  for (const char* path : {"/cpu/model", "/cpu/online", "/kernel/machine", "/kernel/release"}) {
    const Json::json_pointer pointer(path);
    if (!environment.contains(pointer) || environment[pointer].is_null()) continue;
    const Json& value = environment[pointer];
    parts.push_back(value.is_string() ? value.get<std::string>() : json_text(value));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

bool reads_files(const Plan& plan) {
  return std::any_of(plan.workloads.begin(), plan.workloads.end(), [](const Spec& workload) {
    return !of_target(workload) && workload_named(workload.name).files;
  });
}

/// The directory as it is named and the file system that it lies on.
std::string scratch_of(const std::string& directory) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(directory, error);
  return fmt::format("{} ({})", error ? directory : whole.lexically_normal().string(),
                     look_at_storage(directory).filesystem);
}

}  // namespace

std::string loader_settings(const char* const* variables) {
  constexpr std::array<std::string_view, 6> kTold = {"LD_",      "GLIBC_TUNABLES=", "MALLOC_",
                                                     "TCMALLOC", "MIMALLOC_",       "TBB_"};
  std::vector<std::string> found;
  for (; variables != nullptr && *variables != nullptr; ++variables) {
    const std::string_view each = *variables;
    const bool empty = each.ends_with('=');
    if (!empty && std::any_of(kTold.begin(), kTold.end(),
                              [&](std::string_view name) { return each.starts_with(name); }))
      found.emplace_back(each);
  }
  std::sort(found.begin(), found.end());
  return fmt::format("{}", fmt::join(found, " "));
}

std::vector<std::string> changed_settings(Json before, const Json& after) {
  if (!before.is_object()) return {};
  for (const char* moves : {"uptime_s", "steal_ticks", "pressure", "load", "timer"})
    before.erase(moves);
  const auto erase_in = [&before](const char* part, const char* moves) {
    if (const auto found = before.find(part); found != before.end() && found->is_object())
      found->erase(moves);
  };
  erase_in("cgroup", "throttling");
  erase_in("memory", "SwapFree_bytes");
  return differences(before, after);
}

std::vector<std::pair<std::string, std::string>> circumstances_of(const Plan& plan,
                                                                  const Json& environment) {
  if (plan.clock == ClockKind::virtual_time) return {};
  std::vector<std::pair<std::string, std::string>> found = {
      {"the machine", machine_of(environment)},
      {"the loader's settings", loader_settings(environ)}};
  if (reads_files(plan))
    found.emplace_back("the scratch directory", scratch_of(default_scratch_directory()));
  return found;
}

}  // namespace precipice
