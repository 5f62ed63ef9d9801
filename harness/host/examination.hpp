// What was seen of a machine: the material of doctor's findings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/host/noise_floor.hpp"
#include "harness/json.hpp"
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

}  // namespace precipice
