#include "harness/suite.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "harness/spec.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

constexpr std::int64_t kSchema = 1;

/// Where in which file; makes the errors.
class Place {
 public:
  explicit Place(std::string_view file) : file_(file) {}

  UsageError error(const toml::source_region& where, std::string_view key,
                   std::string_view message) const {
    return UsageError(fmt::format("{}:{}: {}: {}", file_, where.begin.line, key, message));
  }
  UsageError error(std::string_view message) const {
    return UsageError(fmt::format("{}: {}", file_, message));
  }
  /// Runs `body` and puts file, line and key before what it complains of.
  template <class Body>
  auto at(const toml::source_region& where, std::string_view key, Body body) const {
    try {
      return body();
    } catch (const UsageError& complaint) {
      throw error(where, key, complaint.what());
    }
  }

 private:
  std::string_view file_;
};

std::string kind_of(const toml::node& node) {
  std::ostringstream text;
  text << node.type();
  return text.str();
}

/// A table whose keys are all known beforehand.
class Section {
 public:
  Section(const Place& place, std::string name, const toml::table& table,
          const std::vector<std::string>& known)
      : place_(place), name_(std::move(name)), table_(table) {
    for (const auto& [key, value] : table) {
      const std::string text(key.str());
      if (std::find(known.begin(), known.end(), text) != known.end()) continue;
      const std::string near = nearest_name(text, known);
      throw place_.error(key.source(), path(text),
                         fmt::format("there is no such key{} (keys: {})",
                                     near.empty() ? "" : fmt::format("; did you mean '{}'?", near),
                                     fmt::join(known, ", ")));
    }
  }

  const toml::node* find(std::string_view key) const { return table_.get(key); }
  std::string path(std::string_view key) const {
    return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
  }

  template <class Use>
  void text(std::string_view key, Use use) const {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    if (!value) {
      throw place_.error(node->source(), path(key),
                         fmt::format("is {}, and should be a text in quotes", kind_of(*node)));
    }
    place_.at(node->source(), path(key), [&] { use(*value); });
  }
  void duration(std::string_view key, Nanos low, Nanos high, Nanos& into) const {
    text(key, [&](const std::string& value) {
      const Nanos duration = parse_duration(value, "duration");
      if (duration < low || duration > high) {
        throw UsageError(fmt::format("{} is outside {} to {}", value, format_duration(low),
                                     format_duration(high)));
      }
      into = duration;
    });
  }
  template <class Integer>
  void integer(std::string_view key, std::int64_t low, std::int64_t high, Integer& into) const {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < low || *value > high) {
      throw place_.error(node->source(), path(key),
                         fmt::format("should be a whole number from {} to {}", low, high));
    }
    into = static_cast<Integer>(*value);
  }
  void flag(std::string_view key, bool& into) const {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<bool>();
    if (!value) throw place_.error(node->source(), path(key), "should be true or false");
    into = *value;
  }
  /// Factors, each in (low, high].
  void factors(std::string_view key, double low, double high, bool may_be_empty,
               std::vector<double>& into) const {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list == nullptr) {
      throw place_.error(node->source(), path(key), "should be a list of numbers, as in [0.9, 1]");
    }
    if (list->empty() && !may_be_empty) {
      throw place_.error(node->source(), path(key),
                         "is empty, so no cliff could be found: give at least one factor");
    }
    std::vector<double> values;
    for (const toml::node& element : *list) {
      const auto value = element.value<double>();
      if (!value || !std::isfinite(*value) || *value <= low || *value > high) {
        throw place_.error(
            element.source(), path(key),
            fmt::format("each factor is a number above {} and at most {}", low, high));
      }
      values.push_back(*value);
    }
    into = std::move(values);
  }

 private:
  const Place& place_;
  std::string name_;
  const toml::table& table_;
};

std::string scalar_text(const Place& place, std::string_view key, const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto number = node.value_exact<double>()) return fmt::format("{}", *number);
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  throw place.error(node.source(), key,
                    fmt::format("is {}, and should be a text, a number or true/false, or a list of "
                                "them",
                                kind_of(node)));
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
    if (key == "use" || (section == "workload" && key == "slo")) continue;
    const std::string path = fmt::format("{}.{}", section, key);
    std::vector<std::string> values;
    if (const toml::array* list = node.as_array()) {
      for (const toml::node& element : *list) values.push_back(scalar_text(place, path, element));
      if (values.empty()) throw place.error(node.source(), path, "is an empty list: no series");
    } else {
      values.push_back(scalar_text(place, path, node));
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
  for (const Spec& spec : specs) place.at(table.source(), section, [&] { check(spec); });
  return specs;
}

/// The elements of an array of tables, each with its index in the message when it is none.
void each_table(const Place& place, const toml::table& root, std::string_view name,
                const std::function<void(const toml::table&)>& use) {
  const toml::node* node = root.get(name);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) {
    throw place.error(node->source(), name, fmt::format("write [[{}]], with two brackets", name));
  }
  for (const toml::node& element : *list) {
    const toml::table* table = element.as_table();
    if (table == nullptr)
      throw place.error(element.source(), name, fmt::format("write it as [[{}]]", name));
    use(*table);
  }
}

const toml::table* table_of(const Place& place, const toml::table& root, std::string_view name) {
  const toml::node* node = root.get(name);
  if (node == nullptr) return nullptr;
  if (node->as_table() == nullptr)
    throw place.error(node->source(), name, fmt::format("should be a table, [{}]", name));
  return node->as_table();
}

void read_head(const Place& place, const toml::table& root, Plan& plan) {
  const Section head(
      place, "", root,
      {"schema", "name", "seed", "blocks", "slo", "load", "search", "model", "workload", "claim"});
  std::int64_t schema = 0;
  if (head.find("schema") == nullptr)
    throw place.error(fmt::format("schema is missing: begin with schema = {}", kSchema));
  head.integer("schema", 0, 1'000'000, schema);
  if (schema != kSchema) {
    throw place.error(head.find("schema")->source(), "schema",
                      fmt::format("is {}, and this program reads {}", schema, kSchema));
  }
  if (head.find("name") == nullptr) throw place.error("name is missing: results are kept under it");
  head.text("name", [&](const std::string& name) {
    const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
      return std::isalnum(c) || c == '-' || c == '_' || c == '.';
    });
    if (name.empty() || !plain || name.front() == '.') {
      throw UsageError(
          "names a directory: use letters, digits, '-', '_' and '.', not beginning with '.'");
    }
    plan.name = name;
  });
  head.integer("seed", 0, std::numeric_limits<std::int64_t>::max(), plan.seed);
  head.integer("blocks", 1, 1000, plan.blocks);
  head.text("slo", [&](const std::string& text) {
    if (text != "default") plan.slo = parse_slo(text);
  });
}

void read_load(const Place& place, const toml::table& root, Plan& plan) {
  const toml::table* table = table_of(place, root, "load");
  if (table == nullptr) return;
  const Section load(place, "load", *table,
                     {"arrivals", "window", "warmup", "drain", "coarse_window", "brief"});
  using namespace std::chrono_literals;
  load.text("arrivals", [&](const std::string& text) { plan.arrivals = Arrivals::parse(text); });
  load.duration("window", 10ms, 1h, plan.window);
  load.duration("warmup", 0ns, 1h, plan.warmup);
  load.duration("drain", 10ms, 1h, plan.drain);
  load.duration("coarse_window", 10ms, 1h, plan.coarse_window);
  load.flag("brief", plan.brief);
}

void read_search(const Place& place, const toml::table& root, Plan& plan) {
  const toml::table* table = table_of(place, root, "search");
  if (table == nullptr) return;
  const Section search(place, "search", *table, {"refine", "overload", "grid", "repeats"});
  search.factors("refine", 0, 10, false, plan.refine);
  search.factors("overload", 1, 100, true, plan.overload);
  search.factors("grid", 0, 1, true, plan.grid);
  search.integer("repeats", 0, 20, plan.repeats);
}

void read_series(const Place& place, const toml::table& root, std::string_view section,
                 const std::function<void(const Spec&)>& check, std::vector<Spec>& into,
                 std::map<std::string, Slo>* slos = nullptr) {
  std::set<std::string> seen;
  each_table(place, root, section, [&](const toml::table& table) {
    for (Spec& spec : expand(place, section, table, check)) {
      if (!seen.insert(spec.to_string()).second) {
        throw place.error(table.source(), section,
                          fmt::format("'{}' is there twice", spec.to_string()));
      }
      if (const toml::node* slo = slos != nullptr ? table.get("slo") : nullptr) {
        place.at(slo->source(), "workload.slo", [&] {
          (*slos)[spec.to_string()] = parse_slo(scalar_text(place, "workload.slo", *slo));
        });
      }
      into.push_back(std::move(spec));
    }
  });
  if (into.empty()) {
    throw place.error(fmt::format("there is no [[{}]], so there is nothing to measure", section));
  }
}

void read_claims(const Place& place, const toml::table& root, Plan& plan) {
  each_table(place, root, "claim", [&](const toml::table& table) {
    const Section section(place, "claim", table, {"say", "that"});
    Claim claim;
    section.text("say", [&](const std::string& text) { claim.say = text; });
    section.text("that", [&](const std::string& text) { claim.that = text; });
    if (claim.say.empty() || claim.that.empty())
      throw place.error(table.source(), "claim", "needs both say and that");
    plan.claims.push_back(std::move(claim));
  });
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + '"';
}

std::string list_text(const std::vector<double>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

}  // namespace

Plan parse_suite(std::string_view text, std::string_view file) {
  const Place place(file);
  toml::table root;
  try {
    root = toml::parse(text, std::string(file));
  } catch (const toml::parse_error& error) {
    throw UsageError(fmt::format("{}:{}:{}: {}", file, error.source().begin.line,
                                 error.source().begin.column, error.description()));
  }
  Plan plan;
  plan.arrivals = Arrivals::parse("poisson");
  read_head(place, root, plan);
  read_load(place, root, plan);
  read_search(place, root, plan);
  read_series(place, root, "model", check_model, plan.models);
  read_series(place, root, "workload", check_workload, plan.workloads, &plan.workload_slo);
  read_claims(place, root, plan);
  return plan;
}

Plan load_suite(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    throw UsageError(fmt::format(
        "{}: cannot be read as a suite; give the path of a .toml file (precipice list suites)",
        path));
  }
  return parse_suite(text.str(), path);
}

void keep_only(Plan& plan, std::string_view only) {
  plan.only = only;
  const auto cells_text = [&] {
    std::string text;
    for (const Spec& model : plan.models)
      for (const Spec& workload : plan.workloads)
        text += fmt::format("\n  {} {}", model.to_string(), workload.to_string());
    return text;
  };
  const std::string all = cells_text();
  const std::vector<Spec> models = plan.models;
  std::erase_if(plan.models, [&](const Spec& model) {
    return std::none_of(plan.workloads.begin(), plan.workloads.end(),
                        [&](const Spec& workload) { return plan.includes(model, workload); });
  });
  std::erase_if(plan.workloads, [&](const Spec& workload) {
    return std::none_of(models.begin(), models.end(),
                        [&](const Spec& model) { return plan.includes(model, workload); });
  });
  if (plan.models.empty())
    throw UsageError(fmt::format("--only '{}' selects no cell; the cells are:{}", only, all));
}

std::string to_toml(const Plan& plan) {
  std::string text =
      fmt::format("schema = {}\nname = {}\nseed = {}\nblocks = {}\nslo = {}\n", kSchema,
                  quoted(plan.name), plan.seed, plan.blocks, quoted(to_string(plan.slo)));
  text += fmt::format("\n[load]\narrivals = {}\nwindow = {}\n", quoted(plan.arrivals.to_string()),
                      quoted(format_duration(plan.window)));
  if (plan.warmup > Nanos::zero())
    text += fmt::format("warmup = {}\n", quoted(format_duration(plan.warmup)));
  text += fmt::format("drain = {}\ncoarse_window = {}\nbrief = {}\n",
                      quoted(format_duration(plan.drain)),
                      quoted(format_duration(plan.coarse_window)), plan.brief);
  text += fmt::format("\n[search]\nrefine = {}\noverload = {}\ngrid = {}\nrepeats = {}\n",
                      list_text(plan.refine), list_text(plan.overload), list_text(plan.grid),
                      plan.repeats);
  const auto series = [&](std::string_view section, const std::vector<Spec>& specs) {
    for (const Spec& spec : specs) {
      text += fmt::format("\n[[{}]]\nuse = {}\n", section, quoted(spec.name));
      for (const auto& [key, value] : spec.given)
        text += fmt::format("{} = {}\n", key, quoted(value));
      const auto slo = plan.workload_slo.find(spec.to_string());
      if (section == "workload" && slo != plan.workload_slo.end())
        text += fmt::format("slo = {}\n", quoted(to_string(slo->second)));
    }
  };
  series("model", plan.models);
  series("workload", plan.workloads);
  for (const Claim& claim : plan.claims) {
    text +=
        fmt::format("\n[[claim]]\nsay = {}\nthat = {}\n", quoted(claim.say), quoted(claim.that));
  }
  return text;
}

std::string plan_hash(const Plan& plan) {
  const std::string text = fmt::format(
      "{}\n{}\n{}\n{}\n{}", to_toml(plan), plan.generator_cpus.to_string(),
      plan.model_cpus.to_string(), plan.clock == ClockKind::real ? "real" : "virtual", plan.only);
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a, 64 bit
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ULL;
  return fmt::format("{:016x}", hash);
}

PlanEstimate estimate(const Plan& plan) {
  // Set-up, draining and tearing down of one trial, the share of trials that are repeated on a
  // shared machine, and the searches' usual number of steps.
  constexpr double kTrialOverheadS = 0.12, kRepeated = 1.2;
  constexpr int kPlateauTrials = 7, kCoarseTrials = 7;
  const auto seconds = [](Nanos duration) {
    return std::chrono::duration<double>(duration).count();
  };
  const int block_trials =
      static_cast<int>(plan.refine.size() + plan.overload.size() + plan.grid.size());
  PlanEstimate total;
  for (const Spec& spec : plan.workloads) {
    const WorkloadInfo& info = workload_named(spec.name);
    const double service =
        seconds(info.make(Options(spec.name, info.options, spec.given))->nominal_service());
    const double warmup = plan.warmup > Nanos::zero() ? seconds(plan.warmup)
                          : plan.brief                ? std::max(0.2, 20 * service)
                                                      : std::max(0.3, 100 * service);
    for (const Spec& model : plan.models) {
      if (!plan.includes(model, spec)) continue;
      ++total.cells;
      total.trials += kPlateauTrials + kCoarseTrials + plan.blocks * block_trials + plan.blocks - 1;
      total.seconds += (kPlateauTrials + kCoarseTrials + plan.blocks - 1) *
                       (warmup + seconds(plan.coarse_window) + kTrialOverheadS);
      total.seconds +=
          plan.blocks * block_trials * (warmup + seconds(plan.window) + kTrialOverheadS);
    }
    total.seconds += (plan.blocks + 1) * (warmup + seconds(plan.window));  // S of each block
  }
  total.seconds *= kRepeated;
  if (plan.clock == ClockKind::virtual_time) total.seconds = 0.02 * total.trials;
  return total;
}

}  // namespace precipice
