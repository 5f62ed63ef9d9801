#include "harness/store/suite_series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "harness/compare/cell_lookup.hpp"
#include "harness/store/suite_transport.hpp"
#include "harness/trial/policy_chain.hpp"
#include "harness/trial/request_class.hpp"
#include "harness/trial/transport.hpp"
#include "models/did_you_mean.hpp"

namespace precipice {
namespace {

// A suite beyond it would run for years; it keeps a slip of the pen from filling the memory.
constexpr std::size_t kMostSeries = 200;  // models or workloads, lists expanded

/// A series is known by its text, in the journal and in claims, so the text has to give it back.
void check_text(const Spec& spec) {
  const std::string text = spec.to_string();
  const Spec read = parse_series(text, "series");
  if (read.name != spec.name || read.given != spec.given || read.policy != spec.policy)
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
    if (key == "use" || (section == "workload" && (key == "slo" || key == "models")) ||
        (section == "model" && (key == "policy" || key == "transport"))) {
      continue;
    }
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
        place.at(element.source(), kPath, [&] { return parse_series(*text, "series"); });
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

/// What a policy of a suite is called, of which there may be several.
std::string named_text(const Place& place, const toml::table& table) {
  const toml::node* node = table.get("name");
  const auto name = node == nullptr ? std::nullopt : node->value_exact<std::string>();
  if (!name || name->empty()) {
    throw place.error(node == nullptr ? table.source() : node->source(), "policy.name",
                      "should be the name, in quotes, that tables and claims use");
  }
  place.at(node->source(), "policy.name", [&] {
    if (*name == "none")
      throw UsageError("none is the model without a policy; choose another name");
    if (parse_spec(*name, "policy").to_string() != *name)
      throw UsageError("reads as something else; use letters, digits, '_' and '-'");
  });
  return *name;
}

/// The chains of one [[policy]], by name: its keys are those of a chain of one policy, and each of
/// a list of values makes one of them, called NAME:key=value.
std::map<std::string, std::vector<Spec>> chains_of(const Place& place, const toml::table& table) {
  const std::string name = named_text(place, table);
  std::vector<Spec> chain;
  const toml::node* node = table.get("chain");
  if (node == nullptr)
    throw place.error(table.source(), "policy.chain", "is missing: the policies, outer first");
  place.at(node->source(), "policy.chain", [&] {
    std::vector<std::string> texts;
    if (const toml::array* list = node->as_array()) {
      for (const toml::node& each : *list)
        texts.push_back(scalar_text(place, "policy.chain", each));
      if (texts.empty()) throw UsageError("is empty; leave the policy out of the model's list");
    } else {
      texts.push_back(scalar_text(place, "policy.chain", *node));
    }
    for (const std::string& text : texts) {
      for (Spec& policy : parse_policies(text)) chain.push_back(std::move(policy));
    }
  });
  std::map<std::string, std::vector<Spec>> chains;
  Spec label = parse_spec(name, "policy");
  chains[name] = chain;
  for (const auto& [key_node, value] : table) {
    const std::string key(key_node.str());
    if (key == "name" || key == "chain") continue;
    const std::string path = fmt::format("policy.{}", key);
    if (chain.size() != 1) {
      throw place.error(key_node.source(), path,
                        "belongs to one of several policies; write it behind that one's name, as "
                        "in \"hedge:after=10ms\"");
    }
    std::vector<std::string> values;
    const toml::array* list = value.as_array();
    if (list == nullptr) {
      values.push_back(scalar_text(place, path, value));
    } else {
      for (const toml::node& each : *list) values.push_back(scalar_text(place, path, each));
    }
    if (values.empty() || values.size() > kMostSeries / chains.size())
      throw place.error(value.source(), path, "makes no series, or too many");
    std::map<std::string, std::vector<Spec>> next;
    for (const auto& [known, policies] : chains) {
      for (const std::string& each : values) {
        std::vector<Spec> made = policies;
        made.front().given[key] = each;
        Spec called = parse_spec(known, "policy");
        if (list != nullptr) called.given[key] = each;
        next[called.to_string()] = std::move(made);
      }
    }
    chains = std::move(next);
  }
  for (const auto& [known, policies] : chains) {
    for (const Spec& policy : policies)
      place.at(table.source(), fmt::format("policy '{}'", known), [&] { check_policy(policy); });
  }
  return chains;
}

/// The names that `policy = ["none", "hedged"]` of a model means; one empty name without the key.
std::vector<std::string> chosen_policies(const Place& place, const toml::table& table,
                                         const std::map<std::string, std::vector<Spec>>& policies) {
  constexpr std::string_view kPath = "model.policy";
  const toml::node* node = table.get("policy");
  if (node == nullptr) return {""};
  std::vector<std::string> texts;
  if (const toml::array* list = node->as_array()) {
    for (const toml::node& each : *list) texts.push_back(scalar_text(place, kPath, each));
  } else {
    texts.push_back(scalar_text(place, kPath, *node));
  }
  std::vector<std::string> chosen;
  for (const std::string& text : texts) {
    if (text == "none") {
      chosen.emplace_back();
      continue;
    }
    const std::size_t before = chosen.size();
    for (const auto& [name, chain] : policies) {
      if (refers_to_policy(text, name)) chosen.push_back(name);
    }
    if (chosen.size() == before) {
      std::vector<std::string> names = {"none"};
      for (const auto& [name, chain] : policies) names.push_back(name);
      throw place.error(node->source(), kPath,
                        fmt::format("'{}' is no [[policy]] of this suite{} There are: {}", text,
                                    did_you_mean(text, names), fmt::join(names, ", ")));
    }
  }
  if (chosen.empty()) throw place.error(node->source(), kPath, "is an empty list: no series");
  return chosen;
}

}  // namespace

void read_classes(const Place& place, const toml::table& root, Plan& plan) {
  each_table(place, root, "class", [&](const toml::table& table) {
    const Section section(place, "class", table, {"name", "share", "slo"});
    RequestClass made;
    section.text("name", [&](const std::string& name) {
      if (!is_class_name(name))
        throw UsageError("a class is named by letters, digits, '_' and '-'");
      made.name = name;
    });
    if (made.name.empty()) throw place.error(table.source(), "class.name", "is missing");
    for (const RequestClass& other : plan.classes) {
      if (other.name == made.name)
        throw place.error(table.source(), "class", fmt::format("'{}' is there twice", made.name));
    }
    const toml::node* share = table.get("share");
    const auto value = share == nullptr ? std::nullopt : share->value<double>();
    if (!value || !(*value > 0 && *value <= 1)) {
      throw place.error(share == nullptr ? table.source() : share->source(), "class.share",
                        "should be a number above 0, at most 1: the share of the requests");
    }
    made.share = *value;
    section.text("slo", [&](const std::string& text) {
      made.slo = parse_slo(text).bound;
      if (made.slo <= Nanos(0)) throw UsageError("should be a time, as in \"p99 < 20ms\"");
    });
    plan.classes.push_back(std::move(made));
    if (plan.classes.size() > kMostClasses)
      throw place.error(table.source(), "class",
                        fmt::format("a suite has at most {}", kMostClasses));
  });
  if (plan.classes.empty() || shares_add_up(plan.classes)) return;
  double sum = 0;
  for (const RequestClass& each : plan.classes) sum += each.share;
  throw place.error(fmt::format("class.share: the shares add up to {:.4g}, and should to 1", sum));
}

void read_policies(const Place& place, const toml::table& root, Plan& plan) {
  each_table(place, root, "policy", [&](const toml::table& table) {
    for (auto& [name, chain] : chains_of(place, table)) {
      if (!plan.policies.emplace(name, std::move(chain)).second)
        throw place.error(table.source(), "policy", fmt::format("'{}' is there twice", name));
    }
  });
}

void check_policies_of_series(const Place& place, const Plan& plan) {
  for (const Spec& workload : plan.workloads) {
    for (const Spec& model : plan.models) {
      if (policy_name(model).empty() || !plan.includes(model, workload)) continue;
      const Slo& slo = plan.slo_of(workload);
      if (slo.text.empty()) {
        throw place.error(fmt::format(
            "slo: '{}' has a policy, so the suite states its SLO, as in slo = \"p99 < 20ms\": the "
            "default is relative to the work, and a policy may hold a request back longer than "
            "that",
            model.to_string()));
      }
      try {
        check_policies(plan.policies_of(model), slo.bound, plan.clock);
      } catch (const UsageError& complaint) {
        throw place.error(fmt::format("policy '{}': {}", model.policy, complaint.what()));
      }
    }
  }
}

void read_series(const Place& place, const toml::table& root, std::string_view section,
                 const std::function<void(const Spec&)>& check, std::vector<Spec>& into,
                 const std::map<std::string, std::vector<Spec>>& policies, Plan* of_workloads) {
  std::set<std::string> seen;
  each_table(place, root, section, [&](const toml::table& table) {
    std::vector<Spec> specs;
    for (const Spec& spec : expand(place, section, table, check)) {
      for (const std::string& policy :
           section == "model"
               ? with_transports(place, table, chosen_policies(place, table, policies))
               : std::vector{std::string()}) {
        specs.push_back(spec);
        specs.back().policy = policy;
      }
    }
    for (Spec& spec : specs) {
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
