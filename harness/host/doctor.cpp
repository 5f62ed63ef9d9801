#include "harness/host/doctor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/host/doctor_checks.hpp"
#include "harness/host/machine.hpp"

namespace precipice {
namespace {

const char* name_of(Severity severity) {
  constexpr const char* names[] = {"bad", "doubtful", "fine"};
  return names[static_cast<int>(severity)];
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
