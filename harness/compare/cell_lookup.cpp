#include "harness/compare/cell_lookup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "harness/trial/spec.hpp"
#include "models/did_you_mean.hpp"
#include "models/model.hpp"
#include "models/options.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

/// Given, or the default of a registered name; nullopt for a key that is not known.
std::optional<std::string> value_of(const Spec& spec, const std::string& key, SpecRole role) {
  const auto given = spec.given.find(key);
  if (given != spec.given.end()) return given->second;
  try {
    const std::vector<OptionKey>& keys = role == SpecRole::model
                                             ? model_named(spec.name).options
                                             : workload_named(spec.name).options;
    for (const OptionKey& each : keys) {
      if (each.name == key) return std::string(each.fallback);
    }
  } catch (const UsageError&) {  // a run of another version may hold names that are gone
  }
  return std::nullopt;
}

template <class Parse>
bool equal_as(Parse parse, const std::string& a, const std::string& b) {
  try {
    return parse(a, "value") == parse(b, "value");
  } catch (const UsageError&) {
    return false;
  }
}

bool same_value(const std::string& a, const std::string& b) {
  return a == b || equal_as(parse_duration, a, b) || equal_as(parse_bytes, a, b) ||
         equal_as(parse_number, a, b);
}

std::string list(const std::vector<CellName>& cells) {
  constexpr std::size_t kMost = 24;
  std::string text;
  for (std::size_t i = 0; i < cells.size() && i < kMost; ++i) {
    text += fmt::format("\n  {}, {}", cells[i].model.to_string(), cells[i].workload.to_string());
  }
  if (cells.size() > kMost) text += fmt::format("\n  and {} more", cells.size() - kMost);
  return text;
}

/// Keeps what `same` holds for, unless that would be nothing.
template <class Same>
void prefer(std::vector<std::size_t>& found, Same same) {
  if (std::any_of(found.begin(), found.end(), same))
    std::erase_if(found, [&](std::size_t index) { return !same(index); });
}

void check_class(const std::string& name, const std::vector<RequestClass>& classes) {
  if (name.empty()) return;
  std::vector<std::string> names;
  for (const RequestClass& each : classes) names.push_back(each.name);
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  if (names.empty())
    throw UsageError(
        fmt::format("class '{}' is asked about, and the suite has no [[class]]", name));
  throw UsageError(fmt::format("there is no class '{}'{} (classes: {})", name,
                               did_you_mean(name, names), fmt::join(names, ", ")));
}

}  // namespace

std::vector<CellName> cells_of(const Plan& plan) {
  std::vector<CellName> cells;
  for (const Spec& workload : plan.workloads) {
    for (const Spec& model : plan.models) {
      if (plan.includes(model, workload)) cells.push_back({model, workload});
    }
  }
  return cells;
}

bool refers_to_policy(const std::string& reference, const std::string& policy) {
  return policy == reference || policy.starts_with(reference + ':');
}

bool refers_to(const Spec& reference, const Spec& spec, SpecRole role) {
  if (reference.name != spec.name) return false;
  if (!reference.policy.empty() && !refers_to_policy(reference.policy, spec.policy)) return false;
  return std::all_of(reference.given.begin(), reference.given.end(), [&](const auto& setting) {
    const auto value = value_of(spec, setting.first, role);
    return value && same_value(*value, setting.second);
  });
}

std::size_t resolve_cell(const Spec& series, const Spec& workload,
                         const std::vector<CellName>& cells) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (refers_to(series, cells[i].model, SpecRole::model) &&
        refers_to(workload, cells[i].workload, SpecRole::workload)) {
      found.push_back(i);
    }
  }
  // A reference that names no policy means the bare model where there is one.
  prefer(found, [&](std::size_t i) { return cells[i].model.policy == series.policy; });
  prefer(found, [&](std::size_t i) { return cells[i].model.to_string() == series.to_string(); });
  prefer(found,
         [&](std::size_t i) { return cells[i].workload.to_string() == workload.to_string(); });
  if (found.size() == 1) return found.front();
  const std::string what = fmt::format("'{}, {}'", series.to_string(), workload.to_string());
  if (found.empty())
    throw UsageError(fmt::format("no cell of this run is {}; the cells are:{}", what, list(cells)));
  std::vector<CellName> candidates;
  for (const std::size_t i : found) candidates.push_back(cells[i]);
  throw UsageError(fmt::format("{} could be {} cells; add the settings that tell them apart:{}",
                               what, found.size(), list(candidates)));
}

std::vector<std::size_t> resolve_claim(const ClaimRelation& claim,
                                       const std::vector<CellName>& cells,
                                       const std::vector<RequestClass>& classes) {
  std::vector<std::size_t> resolved(claim.nodes.size(), 0);
  for (std::size_t i = 0; i < claim.nodes.size(); ++i) {
    const ClaimNode& node = claim.nodes[i];
    if (node.kind != ClaimNode::Kind::call) continue;
    try {
      resolved[i] = resolve_cell(node.series, node.workload, cells);
      check_class(node.of_class, classes);
    } catch (const UsageError& complaint) {
      throw UsageError(fmt::format("at {}: {}", node.begin + 1, complaint.what()));
    }
  }
  return resolved;
}

}  // namespace precipice
