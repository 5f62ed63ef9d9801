#include "harness/store/suite_series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "harness/compare/cell_lookup.hpp"

namespace precipice {
namespace {

// A suite beyond it would run for years; it keeps a slip of the pen from filling the memory.
constexpr std::size_t kMostSeries = 200;  // models or workloads, lists expanded

/// A series is known by its text, in the journal and in claims, so the text has to give it back.
void check_text(const Spec& spec) {
  const std::string text = spec.to_string();
  const Spec read = parse_spec(text, "series");
  if (read.name != spec.name || read.given != spec.given)
    throw UsageError(
        fmt::format("'{}' reads as something else; leave out spaces around values and "
                    "commas outside parentheses",
                    text));
}

/// [[model]] or [[workload]]: one Spec for each combination of the listed values.
std::vector<Spec> expand(const Place& place, std::string_view section, const toml::table& table,
                         const std::function<void(const Spec&)>& check) {
  const toml::node* use = table.get("use");
  if (use == nullptr) {
    throw place.error(table.source(), fmt::format("{}.use", section),
                      fmt::format("is missing: it names the {}", section));
  }
  const auto name = use->value_exact<std::string>();
  if (!name) {
    throw place.error(use->source(), fmt::format("{}.use", section), "should be a name in quotes");
  }
  std::vector<Spec> specs(1);
  specs.front().name = *name;
  place.at(use->source(), fmt::format("{}.use", section), [&] { check(specs.front()); });

  for (const auto& [key_node, node] : table) {
    const std::string key(key_node.str());
    if (key == "use" || (section == "workload" && (key == "slo" || key == "models"))) continue;
    const std::string path = fmt::format("{}.{}", section, key);
    std::vector<std::string> values;
    if (const toml::array* list = node.as_array()) {
      for (const toml::node& element : *list) values.push_back(scalar_text(place, path, element));
      if (values.empty()) throw place.error(node.source(), path, "is an empty list: no series");
    } else {
      values.push_back(scalar_text(place, path, node));
    }
    if (values.size() > kMostSeries / specs.size()) {
      throw place.error(node.source(), path,
                        fmt::format("makes {} x {} series of this {}; the lists of one may make {}",
                                    specs.size(), values.size(), section, kMostSeries));
    }
    std::vector<Spec> next;
    for (const Spec& spec : specs) {
      for (const std::string& value : values) {
        next.push_back(spec);
        next.back().given[key] = value;
      }
    }
    specs = std::move(next);
    // Key by key, so that the complaint carries the line of the key that is wrong.
    for (const std::string& value : values) {
      Spec single;
      single.name = *name;
      single.given[key] = value;
      place.at(key_node.source(), path, [&] { check(single); });
    }
  }
  for (const Spec& spec : specs) {
    place.at(table.source(), section, [&] {
      check(spec);
      check_text(spec);
    });
  }
  return specs;
}

/// The series that `models = ["event_loop", "fixed_pool:threads=8"]` keeps on a workload.
std::set<std::string> chosen_models(const Place& place, const toml::node& node,
                                    const std::vector<Spec>& models) {
  constexpr std::string_view kPath = "workload.models";
  const toml::array* list = node.as_array();
  if (list == nullptr || list->empty()) {
    throw place.error(node.source(), kPath,
                      "should be a list of series, as in [\"event_loop\", "
                      "\"fixed_pool:threads=8\"]");
  }
  std::set<std::string> chosen;
  for (const toml::node& element : *list) {
    const auto text = element.value_exact<std::string>();
    if (!text) throw place.error(element.source(), kPath, "each series is a text in quotes");
    const Spec reference =
        place.at(element.source(), kPath, [&] { return parse_spec(*text, "series"); });
    // Of several that fit, the one that is written in the very same way; so a plan's own text names
    // each series alone.
    const std::string exact = reference.to_string();
    bool found = std::any_of(models.begin(), models.end(),
                             [&](const Spec& model) { return model.to_string() == exact; });
    if (found) chosen.insert(exact);
    for (const Spec& model : models) {
      if (chosen.contains(exact) || !refers_to(reference, model, SpecRole::model)) continue;
      chosen.insert(model.to_string());
      found = true;
    }
    if (!found) {
      std::string known;
      for (const Spec& model : models) known += fmt::format("\n  {}", model.to_string());
      throw place.error(element.source(), kPath,
                        fmt::format("'{}' is none of the suite's series:{}", *text, known));
    }
  }
  return chosen;
}

}  // namespace

void read_series(const Place& place, const toml::table& root, std::string_view section,
                 const std::function<void(const Spec&)>& check, std::vector<Spec>& into,
                 Plan* of_workloads) {
  std::set<std::string> seen;
  each_table(place, root, section, [&](const toml::table& table) {
    for (Spec& spec : expand(place, section, table, check)) {
      if (!seen.insert(spec.to_string()).second) {
        throw place.error(table.source(), section,
                          fmt::format("'{}' is there twice", spec.to_string()));
      }
      if (const toml::node* slo = of_workloads != nullptr ? table.get("slo") : nullptr) {
        place.at(slo->source(), "workload.slo", [&] {
          of_workloads->workload_slo[spec.to_string()] =
              parse_slo(scalar_text(place, "workload.slo", *slo));
        });
      }
      if (const toml::node* models = of_workloads != nullptr ? table.get("models") : nullptr) {
        of_workloads->workload_models[spec.to_string()] =
            chosen_models(place, *models, of_workloads->models);
      }
      into.push_back(std::move(spec));
      if (into.size() > kMostSeries) {
        throw place.error(
            table.source(), section,
            fmt::format("is one series too many; a suite has at most {}", kMostSeries));
      }
    }
  });
  if (into.empty()) {
    throw place.error(fmt::format("there is no [[{}]], so there is nothing to measure", section));
  }
}

}  // namespace precipice
