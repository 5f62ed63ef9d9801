// Is this machine fit to measure on, and what would change a number. Looks; changes nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/environment.hpp"
#include "harness/finding.hpp"
#include "harness/noise_floor.hpp"
#include "harness/trial_json.hpp"
#include "models/cpu_set.hpp"
#include "models/request.hpp"

namespace precipice {

/// Where files go: the nearest directory of the path that exists.
struct Storage {
  std::string path;
  std::string filesystem;                   ///< "tmpfs", "overlay", ...; "" when not known
  std::optional<bool> direct;               ///< O_DIRECT works; nullopt when it could not be tried
  std::optional<std::uint64_t> free_bytes;  ///< for this user
};
/// Opens an unnamed file to try O_DIRECT; nothing is left behind.
Storage look_at_storage(const std::string& path);

/// Everything that findings are made from.
struct Examination {
  std::shared_ptr<const Json> environment;  ///< of environment_json; never null
  NoiseFloor floor;
  Nanos window = std::chrono::seconds(1);  ///< that the floor is told for
  CpuSet generator, model;
  bool root = false;                                             ///< limits that bind users only
  std::vector<std::pair<std::string, std::string>> unavailable;  ///< models and why
  Storage scratch, results;
};

/// Watches the CPUs for `watch` and reads /proc and /sys.
Examination examine(const CpuSet& generator, const CpuSet& model, const std::string& results,
                    bool anonymous, Nanos watch);

/// What would change a number, worst first. Pure; a field of the environment that is missing or
/// null is passed over.
std::vector<Finding> findings(const Examination& examination);

/// What a run on these CPUs says before it begins, in one line each: what is bad, and what may move
/// a result by a quarter or more. Pure.
std::vector<std::string> remarks_at_start(const Examination& examination);
/// Of this machine and these CPUs, without a watch: takes milliseconds.
std::vector<std::string> remarks_at_start(const CpuSet& generator, const CpuSet& model);

/// {"schema","fit","smallest_slo_ns","smallest_service_ns","watched_s","findings":[{"severity",
/// "what","why","cure"}],"floor","stalls","environment"}. `fit`: nothing is bad.
Json to_json(const Examination& examination, const std::vector<Finding>& found);
std::string to_text(const Examination& examination, const std::vector<Finding>& found);

}  // namespace precipice
