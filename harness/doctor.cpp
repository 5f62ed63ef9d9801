#include "harness/doctor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "harness/anonymous.hpp"
#include "harness/doctor_checks.hpp"
#include "harness/machine.hpp"
#include "harness/trial_runner.hpp"
#include "models/model.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

const char* name_of(Severity severity) {
  constexpr const char* names[] = {"bad", "doubtful", "fine"};
  return names[static_cast<int>(severity)];
}

std::string filesystem_name(long type) {
  constexpr unsigned long kXfs = 0x58465342;
  switch (static_cast<unsigned long>(type)) {
    case TMPFS_MAGIC:
      return "tmpfs";
    case RAMFS_MAGIC:
      return "ramfs";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlay";
    case EXT4_SUPER_MAGIC:
      return "ext";
    case BTRFS_SUPER_MAGIC:
      return "btrfs";
    case NFS_SUPER_MAGIC:
      return "nfs";
    case kXfs:
      return "xfs";
    default:
      return "";
  }
}

bool is_fit(const std::vector<Finding>& found) {
  return std::none_of(found.begin(), found.end(),
                      [](const Finding& x) { return x.severity == Severity::bad; });
}

}  // namespace

std::vector<Finding> Findings::worst_first() && {
  std::stable_sort(list_.begin(), list_.end(), [](const Finding& a, const Finding& b) {
    return std::pair(a.severity, -a.weight) < std::pair(b.severity, -b.weight);
  });
  return std::move(list_);
}

Json at(const Json& json, std::initializer_list<const char*> keys) {
  const Json* here = &json;
  for (const char* key : keys) {
    if (!here->is_object()) return nullptr;
    const auto found = here->find(key);
    if (found == here->end()) return nullptr;
    here = &*found;
  }
  return *here;
}

double number_at(const Json& json, std::initializer_list<const char*> keys) {
  const Json value = at(json, keys);
  return value.is_number() ? value.get<double>() : std::nan("");
}

std::string text_at(const Json& json, std::initializer_list<const char*> keys) {
  const Json value = at(json, keys);
  return value.is_string() ? value.get<std::string>() : "";
}

Storage look_at_storage(const std::string& path) {
  Storage storage;
  std::error_code error;
  fs::path place = fs::absolute(path, error);
  while (!fs::is_directory(place, error) && place.has_relative_path()) place = place.parent_path();
  storage.path = place;
  if (struct statfs type{}; statfs(place.c_str(), &type) == 0)
    storage.filesystem = filesystem_name(type.f_type);
  if (struct statvfs space{}; statvfs(place.c_str(), &space) == 0)
    storage.free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  // An unnamed file is gone when it is closed.
  const int plain = open(place.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (plain < 0) return storage;
  close(plain);
  const int direct = open(place.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_DIRECT, 0600);
  if (direct >= 0) {
    storage.direct = true;
    close(direct);
  } else if (errno == EINVAL || errno == EOPNOTSUPP) {
    storage.direct = false;
  }
  return storage;
}

Examination examine(const CpuSet& generator, const CpuSet& model, const std::string& results,
                    bool anonymous, Nanos watch) {
  Examination e;
  e.generator = generator;
  e.model = model;
  // Before the watch, whose own threads would count as load.
  e.environment = std::make_shared<const Json>(
      environment_json({.anonymous = anonymous, .wake_up_cpus = generator}));
  e.floor = NoiseFloor(sample_noise(generator, model, watch));
  e.root = geteuid() == 0;
  for (const ModelInfo& info : models()) {
    if (info.unavailable == nullptr) continue;
    if (const auto why = info.unavailable()) e.unavailable.emplace_back(info.name, *why);
  }
  e.scratch = look_at_storage(default_scratch_directory());
  e.results = look_at_storage(results);
  if (anonymous) {
    const Secrets secrets = Secrets::of_this_process();
    e.scratch.path = without_secrets(e.scratch.path, secrets);
    e.results.path = without_secrets(e.results.path, secrets);
  }
  return e;
}

std::vector<Finding> findings(const Examination& examination) {
  Findings found;
  check_processors(examination, found);
  check_noise(examination, found);
  check_limits(examination, found);
  check_storage_and_build(examination, found);
  return std::move(found).worst_first();
}

std::vector<std::string> remarks_at_start(const Examination& examination) {
  constexpr double kNotableWeight = 25;
  std::vector<std::string> remarks;
  for (const Finding& finding : findings(examination)) {
    if (finding.severity == Severity::fine) continue;
    if (finding.severity == Severity::bad || finding.weight >= kNotableWeight)
      remarks.push_back(fmt::format("{}: {}", finding.what, finding.why));
  }
  return remarks;
}

std::vector<std::string> remarks_at_start(const CpuSet& generator, const CpuSet& model) {
  Examination e;
  e.generator = generator;
  e.model = model;
  e.environment = std::make_shared<const Json>(machine_json(machine_files()));
  e.root = geteuid() == 0;
  return remarks_at_start(e);
}

Json to_json(const Examination& examination, const std::vector<Finding>& found) {
  const Json floor = to_json(examination.floor, examination.window);
  Json json = {{"schema", kSchema},
               {"fit", is_fit(found)},
               {"smallest_slo_ns", floor["smallest_slo_ns"]},
               {"smallest_service_ns", floor["smallest_service_ns"]},
               {"watched_s", floor["watched_s"]},
               {"findings", Json::array()}};
  for (const Finding& finding : found) {
    json["findings"].push_back({{"severity", name_of(finding.severity)},
                                {"what", finding.what},
                                {"why", finding.why},
                                {"cure", finding.cure}});
  }
  json["stalls"] = floor["stalls"];
  json["floor"] = floor;
  json["environment"] = *examination.environment;
  return json;
}

std::string to_text(const Examination& examination, const std::vector<Finding>& found) {
  std::string text;
  for (const Finding& finding : found) {
    text += fmt::format("{:<9} {}\n", name_of(finding.severity), finding.what);
    if (!finding.why.empty()) text += fmt::format("          why: {}\n", finding.why);
    if (!finding.cure.empty()) text += fmt::format("          do:  {}\n", finding.cure);
  }
  text += "\nlongest stall by CPU:";
  if (examination.floor.longest_stalls().empty()) text += "  not judged";
  for (const auto& stall : examination.floor.longest_stalls())
    text += fmt::format("  {}: {:.3f} ms", stall.cpu, static_cast<double>(stall.longest_ns) / 1e6);
  text += is_fit(found)
              ? "\nFit to measure on, within what is said above.\n"
              : "\nNot fit as it is: see what is bad above. Invalid trials will be marked "
                "and repeated.\n";
  return text;
}

}  // namespace precipice
