#include "harness/store/suite.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "harness/capacity/windows.hpp"
#include "harness/compare/cell_lookup.hpp"
#include "harness/compare/claim_parser.hpp"
#include "harness/json.hpp"
#include "harness/store/baseline.hpp"
#include "harness/text_encoding.hpp"
#include "harness/trial/limits.hpp"
#include "harness/trial/spec.hpp"
#include "models/did_you_mean.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

constexpr std::int64_t kSuiteSchema = 1;

// A suite beyond these would run for years; they keep a slip of the pen from filling the memory.
constexpr std::size_t kMostSeries = 200;  // models or workloads, lists expanded
constexpr std::size_t kMostCells = 2000;
constexpr std::size_t kMostFactors = 50;
constexpr std::size_t kMostClaims = 500;
constexpr std::size_t kLongestName = 100;
constexpr std::size_t kLongestSuite = std::size_t{1} << 20;

/// Where in which file; makes the errors.
class Place {
 public:
  explicit Place(std::string_view file) : file_(file) {}
  std::string_view file() const { return file_; }

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
      throw place_.error(key.source(), path(text),
                         fmt::format("there is no such key{} (keys: {})", did_you_mean(text, known),
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
    if (list->size() > kMostFactors)
      throw place_.error(
          node->source(), path(key),
          fmt::format("has {} factors; give at most {}", list->size(), kMostFactors));
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
    throw place.error(fmt::format("schema is missing: begin with schema = {}", kSuiteSchema));
  head.integer("schema", 0, 1'000'000, schema);
  if (schema != kSuiteSchema) {
    throw place.error(head.find("schema")->source(), "schema",
                      fmt::format("is {}, and this program reads {}", schema, kSuiteSchema));
  }
  if (head.find("name") == nullptr) throw place.error("name is missing: results are kept under it");
  head.text("name", [&](const std::string& name) {
    const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
      return std::isalnum(c) || c == '-' || c == '_' || c == '.';
    });
    if (name.empty() || !plain || name.front() == '.' || name.size() > kLongestName) {
      throw UsageError(
          fmt::format("names a directory: use up to {} letters, digits, '-', '_' and '.', not "
                      "beginning with '.'",
                      kLongestName));
    }
    if (name == kBaselines)
      throw UsageError("names the directory of the saved baselines; choose another name");
    plan.name = name;
  });
  head.integer("seed", 0, std::numeric_limits<std::int64_t>::max(), plan.seed);
  head.integer("blocks", 1, 1000, plan.blocks);
  head.text("slo", [&](const std::string& text) {
    if (text != "default") plan.slo = parse_slo(text);
  });
}

/// A relative path is the suite's before it is the working directory's: a run's directory holds its
/// trace. One that is not where it was, as in a run that came from elsewhere, is looked for beside
/// the suite.
std::string with_trace_found(const std::string& text, std::string_view suite) {
  constexpr std::string_view kOpening = "trace(";
  if (!text.starts_with(kOpening) || !text.ends_with(')')) return text;
  namespace fs = std::filesystem;
  const fs::path trace = text.substr(kOpening.size(), text.size() - kOpening.size() - 1);
  const fs::path home = fs::path(suite).parent_path();
  for (const fs::path& place : {home / trace, trace, home / trace.filename()}) {
    std::error_code error;
    if (fs::is_regular_file(place, error)) return fmt::format("{}{})", kOpening, place.string());
  }
  return text;
}

void read_load(const Place& place, const toml::table& root, Plan& plan) {
  const toml::table* table = table_of(place, root, "load");
  if (table == nullptr) return;
  const Section load(place, "load", *table,
                     {"arrivals", "window", "warmup", "drain", "coarse_window", "brief", "clock"});
  using namespace std::chrono_literals;
  load.text("arrivals", [&](const std::string& text) {
    plan.arrivals = Arrivals::parse(with_trace_found(text, place.file()));
  });
  load.duration("window", 10ms, kLongestWindow, plan.window);
  load.duration("warmup", 0ns, 1h, plan.warmup);
  load.duration("drain", 10ms, 1h, plan.drain);
  load.duration("coarse_window", 10ms, 1h, plan.coarse_window);
  load.flag("brief", plan.brief);
  load.text("clock", [&](const std::string& text) {
    if (text != "real" && text != "virtual")
      throw UsageError(fmt::format("'{}' is no clock: real or virtual", text));
    plan.clock = text == "virtual" ? ClockKind::virtual_time : ClockKind::real;
  });
  // Simulated windows are sized by requests, unless the suite says how long they are.
  if (plan.clock == ClockKind::virtual_time && table->contains("window")) plan.virtual_requests = 0;
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

void read_series(const Place& place, const toml::table& root, std::string_view section,
                 const std::function<void(const Spec&)>& check, std::vector<Spec>& into,
                 Plan* of_workloads = nullptr) {
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

/// On the virtual clock nothing runs: the oracle is a function, and it is given no work.
void check_clock(const Place& place, const Plan& plan) {
  if (plan.clock == ClockKind::real) return;
  for (const CellName& cell : cells_of(plan)) {
    if (cell.model.name != "oracle" || cell.workload.name != "empty") {
      throw place.error(fmt::format(
          "load.clock: on the virtual clock there is only oracle on empty, and here is {} on {}",
          cell.model.to_string(), cell.workload.to_string()));
    }
  }
}

/// A window or a drain that the suite names is refused where it is too short for the work; a
/// default is made longer when the work is known.
void check_windows(const Place& place, const toml::table& root, const Plan& plan) {
  const toml::table* load = table_of(place, root, "load");
  if (load == nullptr) return;
  const auto check = [&](std::string_view key, Nanos length, bool of_arrivals) {
    const toml::node* node = load->get(key);
    const std::string why = node == nullptr ? "" : why_too_short(plan, length, of_arrivals);
    if (!why.empty()) throw place.error(node->source(), fmt::format("load.{}", key), why);
  };
  if (const std::string why = why_cycle_too_long(plan); !why.empty())
    throw place.error(load->get("arrivals")->source(), "load.arrivals", why);
  check("window", plan.window, true);
  check("coarse_window", plan.coarse_window, false);
  check("drain", plan.drain, false);
}

/// Defaults that are too short for the work, made longer, so that the plan as resolved is one that
/// can be measured.
void lengthen_defaults(const Place& place, const toml::table& root, Plan& plan) {
  const toml::table* load = table_of(place, root, "load");
  const auto given = [&](std::string_view key) { return load != nullptr && load->contains(key); };
  Nanos work{0};
  for (const CellName& cell : cells_of(plan))
    work = std::max(work, nominal_service(cell.model, cell.workload));
  if (!given("window")) plan.window = std::max({plan.window, work, plan.arrivals.burst_cycle()});
  if (!given("coarse_window")) plan.coarse_window = std::max(plan.coarse_window, work);
  if (!given("drain")) plan.drain = std::max(plan.drain, work);
}

void check_every_series_is_used(const Place& place, const Plan& plan) {
  for (const Spec& model : plan.models) {
    const bool used = std::any_of(plan.workloads.begin(), plan.workloads.end(),
                                  [&](const Spec& each) { return plan.includes(model, each); });
    if (!used) {
      throw place.error(
          fmt::format("model: '{}' is measured on no workload; add it to the models "
                      "of one, or leave it out",
                      model.to_string()));
    }
  }
}

void read_claims(const Place& place, const toml::table& root, Plan& plan) {
  each_table(place, root, "claim", [&](const toml::table& table) {
    const Section section(place, "claim", table, {"say", "that"});
    Claim claim;
    section.text("say", [&](const std::string& text) { claim.say = text; });
    section.text("that", [&](const std::string& text) {
      resolve_claim(parse_claim(text), cells_of(plan));
      claim.that = text;
    });
    if (claim.say.empty() || claim.that.empty())
      throw place.error(table.source(), "claim", "needs both say and that");
    if (plan.claims.size() >= kMostClaims) {
      throw place.error(table.source(), "claim",
                        fmt::format("is one too many; a suite has at most {}", kMostClaims));
    }
    plan.claims.push_back(std::move(claim));
  });
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)  // which TOML wants escaped
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + '"';
}

/// The library frees what it has read by recursion, and a key nests one table for each of its dots:
/// some ten thousand of them end the process.
void refuse_deep_keys(const Place& place, std::string_view text) {
  constexpr std::size_t kUsual = 64, kMost = 4000;
  std::size_t in_line = 0, beyond = 0;
  for (const char c : text) {
    if (c == '\n') in_line = 0;
    if (c == '.' && ++in_line > kUsual && ++beyond > kMost)
      throw place.error("has lines with so many dots that no suite needs them");
  }
}

void refuse_other_bytes(const Place& place, std::string_view text) {
  const std::size_t at = first_not_utf8(text);
  if (at == std::string_view::npos) return;
  throw UsageError(fmt::format("{}:{}: holds the byte {}, which is no UTF-8: save it as UTF-8",
                               place.file(), std::count(text.begin(), text.begin() + at, '\n') + 1,
                               printable_ascii(text.substr(at, 1))));
}

std::string list_text(const std::vector<double>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

}  // namespace

Plan parse_suite(std::string_view text, std::string_view file, SuiteUse use) {
  const Place place(file);
  if (text.size() > kLongestSuite) throw place.error("is longer than 1 MiB: not a suite");
  if (const std::string other = other_encoding(text); !other.empty()) throw place.error(other);
  text = without_byte_order_mark(text);
  refuse_other_bytes(place, text);
  refuse_deep_keys(place, text);
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
  read_series(place, root, "workload", check_workload, plan.workloads, &plan);
  if (plan.models.size() * plan.workloads.size() > kMostCells) {
    throw place.error(fmt::format("{} models on {} workloads are too many cells; have at most {}",
                                  plan.models.size(), plan.workloads.size(), kMostCells));
  }
  check_every_series_is_used(place, plan);
  check_clock(place, plan);
  lengthen_defaults(place, root, plan);
  if (use == SuiteUse::measure) check_windows(place, root, plan);
  read_claims(place, root, plan);
  return plan;
}

Plan load_suite(const std::string& path, SuiteUse use) {
  std::error_code error;
  const bool directory = std::filesystem::is_directory(path, error);
  std::ifstream file;
  // Of a pipe the other end would be waited for, and a device may have no end.
  if (std::filesystem::is_regular_file(path, error)) file.open(path, std::ios::binary);
  std::string text(kLongestSuite + 1, '\0');  // one byte more than a suite may have
  if (file.is_open()) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    throw UsageError(
        fmt::format("{}: {}; give the path of a .toml file (precipice list suites)", path,
                    directory ? "is a directory and no suite" : "cannot be read as a suite"));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parse_suite(text, path, use);
}

void keep_only(Plan& plan, std::string_view only) {
  const std::vector<CellName> cells = cells_of(plan);
  std::string all;
  for (const CellName& cell : cells)
    all += fmt::format("\n  {} {}", cell.model.to_string(), cell.workload.to_string());
  plan.only = only;
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
  // The plan's text has no --only, so it says which cells are left.
  for (const Spec& workload : plan.workloads) {
    std::set<std::string> left;
    for (const Spec& model : plan.models)
      if (plan.includes(model, workload)) left.insert(model.to_string());
    if (left.size() < plan.models.size())
      plan.workload_models[workload.to_string()] = std::move(left);
  }
  // A claim about a cell that is left out cannot be judged.
  std::erase_if(plan.claims, [&](const Claim& claim) {
    const ClaimRelation relation = parse_claim(claim.that);
    const std::vector<std::size_t> cell_of = resolve_claim(relation, cells);
    for (std::size_t i = 0; i < relation.nodes.size(); ++i) {
      const CellName& cell = cells[cell_of[i]];
      if (relation.nodes[i].kind == ClaimNode::Kind::call &&
          !plan.includes(cell.model, cell.workload)) {
        return true;
      }
    }
    return false;
  });
}

std::string to_toml(const Plan& plan) {
  std::string text =
      fmt::format("schema = {}\nname = {}\nseed = {}\nblocks = {}\nslo = {}\n", kSuiteSchema,
                  in_quotes(plan.name), plan.seed, plan.blocks, in_quotes(to_string(plan.slo)));
  const bool by_time = plan.clock == ClockKind::real || plan.virtual_requests == 0;
  text += fmt::format("\n[load]\narrivals = {}\n", in_quotes(plan.arrivals.to_string()));
  if (by_time) text += fmt::format("window = {}\n", in_quotes(exact_duration(plan.window)));
  if (plan.warmup > Nanos::zero())
    text += fmt::format("warmup = {}\n", in_quotes(exact_duration(plan.warmup)));
  if (plan.clock == ClockKind::virtual_time) text += "clock = \"virtual\"\n";
  text += fmt::format("drain = {}\n", in_quotes(exact_duration(plan.drain)));
  if (by_time)
    text += fmt::format("coarse_window = {}\n", in_quotes(exact_duration(plan.coarse_window)));
  text += fmt::format("brief = {}\n", plan.brief);
  text += fmt::format("\n[search]\nrefine = {}\noverload = {}\ngrid = {}\nrepeats = {}\n",
                      list_text(plan.refine), list_text(plan.overload), list_text(plan.grid),
                      plan.repeats);
  const auto series = [&](std::string_view section, const std::vector<Spec>& specs) {
    for (const Spec& spec : specs) {
      text += fmt::format("\n[[{}]]\nuse = {}\n", section, in_quotes(spec.name));
      for (const auto& [key, value] : spec.given)
        text += fmt::format("{} = {}\n", key, in_quotes(value));
      const auto slo = plan.workload_slo.find(spec.to_string());
      if (section == "workload" && slo != plan.workload_slo.end())
        text += fmt::format("slo = {}\n", in_quotes(to_string(slo->second)));
      const auto models = plan.workload_models.find(spec.to_string());
      if (section == "workload" && models != plan.workload_models.end()) {
        std::string list;
        for (const Spec& model : plan.models) {
          if (!models->second.contains(model.to_string())) continue;
          list += fmt::format("{}{}", list.empty() ? "" : ", ", in_quotes(model.to_string()));
        }
        text += fmt::format("models = [{}]\n", list);
      }
    }
  };
  series("model", plan.models);
  series("workload", plan.workloads);
  for (const Claim& claim : plan.claims) {
    text += fmt::format("\n[[claim]]\nsay = {}\nthat = {}\n", in_quotes(claim.say),
                        in_quotes(claim.that));
  }
  return text;
}

std::string plan_hash(const Plan& plan) {
  Plan known = plan;
  known.arrivals = plan.arrivals.with_trace_file(plan.arrivals.identity());
  const std::string text = fmt::format(
      "{}\n{}\n{}\n{}\n{}", to_toml(known), plan.generator_cpus.to_string(),
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
    const double window = seconds(resolve_window(plan.window, service * 1e9));
    const double coarse_window = seconds(resolve_window(plan.coarse_window, service * 1e9));
    for (const Spec& model : plan.models) {
      if (!plan.includes(model, spec)) continue;
      ++total.cells;
      total.trials += kPlateauTrials + kCoarseTrials + plan.blocks * block_trials + plan.blocks - 1;
      total.seconds += (kPlateauTrials + kCoarseTrials + plan.blocks - 1) *
                       (warmup + coarse_window + kTrialOverheadS);
      total.seconds += plan.blocks * block_trials * (warmup + window + kTrialOverheadS);
    }
    total.seconds += (plan.blocks + 1) * (warmup + window);  // S of each block
  }
  total.seconds *= kRepeated;
  if (plan.clock == ClockKind::virtual_time) total.seconds = 0.02 * total.trials;
  return total;
}

}  // namespace precipice
