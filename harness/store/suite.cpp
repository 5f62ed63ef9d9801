#include "harness/store/suite.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "harness/capacity/windows.hpp"
#include "harness/compare/cell_lookup.hpp"
#include "harness/compare/claim_parser.hpp"
#include "harness/json.hpp"
#include "harness/store/baseline.hpp"
#include "harness/store/suite_series.hpp"
#include "harness/store/suite_targets.hpp"
#include "harness/store/suite_transport.hpp"
#include "harness/store/suite_writer.hpp"
#include "harness/store/toml_section.hpp"
#include "harness/text_encoding.hpp"
#include "harness/trial/limits.hpp"
#include "harness/trial/spec.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

// A suite beyond these would run for years; they keep a slip of the pen from filling the memory.
constexpr std::size_t kMostCells = 2000;
constexpr std::size_t kMostClaims = 500;
constexpr std::size_t kLongestName = 100;
constexpr std::size_t kLongestSuite = std::size_t{1} << 20;

/// At the head of a suite, where they stand beside the SLO as part of the question, and as well in
/// [load] and [search], where they are looked for too.
void read_rates(const Section& section, Plan& plan) {
  section.factors("rates", 0, kHighestRatePerS, true, plan.rates, "rate", "[600, 900]");
  std::sort(plan.rates.begin(), plan.rates.end());
  plan.rates.erase(std::unique(plan.rates.begin(), plan.rates.end()), plan.rates.end());
}

void read_head(const Place& place, const toml::table& root, Plan& plan) {
  const Section head(place, "", root,
                     {"schema", "name", "seed", "blocks", "slo", "rates", "price_per_cpu_hour",
                      "load", "search", "class", "policy", "model", "workload", "target", "claim"});
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
  read_rates(head, plan);
  if (const toml::node* node = head.find("price_per_cpu_hour"); node != nullptr) {
    const auto value = node->value<double>();
    if (!value || !(*value > 0) || !(*value < 1e6))
      throw place.error(node->source(), "price_per_cpu_hour", "should be a number above 0");
    plan.price_per_cpu_hour = *value;
  }
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
                     {"arrivals", "window", "requests", "warmup", "drain", "coarse_window", "brief",
                      "clock", "rates", "trigger", "transport"});
  using namespace std::chrono_literals;
  load.text("arrivals", [&](const std::string& text) {
    plan.arrivals = Arrivals::parse(with_trace_found(text, place.file()));
  });
  load.duration("window", 10ms, kLongestWindow, plan.window);
  load.integer("requests", 0, 1'000'000, plan.requests);
  load.duration("warmup", 0ns, 1h, plan.warmup);
  load.duration("drain", 10ms, 1h, plan.drain);
  load.duration("coarse_window", 10ms, 1h, plan.coarse_window);
  load.flag("brief", plan.brief);
  read_rates(load, plan);
  load.text("trigger", [&](const std::string& text) { plan.trigger = Trigger::parse(text); });
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
  const Section search(place, "search", *table,
                       {"refine", "overload", "grid", "rates", "repeats", "precision"});
  search.factors("refine", 0, 10, false, plan.refine);
  search.factors("overload", 1, 100, true, plan.overload);
  search.factors("grid", 0, 1, true, plan.grid);
  read_rates(search, plan);
  search.share("precision", plan.precision);
  search.integer("repeats", 0, 20, plan.repeats);
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

void check_trigger(const Place& place, const toml::table& root, const Plan& plan) {
  if (!plan.trigger) return;
  const auto wrong = [&](std::string_view why) {
    return place.error(table_of(place, root, "load")->get("trigger")->source(), "load.trigger",
                       why);
  };
  if (plan.rates.empty())
    throw wrong("acts in the trials at the suite's rates; name some, as in rates = [600]");
  const bool sized = plan.clock == ClockKind::virtual_time && plan.virtual_requests > 0;
  if (sized || plan.trigger->at >= plan.window)
    throw wrong("comes after the window; give load.window, longer than that");
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
      resolve_claim(parse_claim(text), cells_of(plan), plan.classes);
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
  read_classes(place, root, plan);
  read_policies(place, root, plan);
  const bool of_targets_alone =
      root.contains("target") && !root.contains("model") && !root.contains("workload");
  if (!of_targets_alone) {
    read_series(place, root, "model", check_model, plan.models, plan.policies);
    read_load_transport(place, root, plan);
    read_series(place, root, "workload", check_workload, plan.workloads, plan.policies, &plan);
  }
  read_targets(place, root, use == SuiteUse::measure, plan);
  if (plan.models.size() * plan.workloads.size() > kMostCells) {
    throw place.error(fmt::format("{} models on {} workloads are too many cells; have at most {}",
                                  plan.models.size(), plan.workloads.size(), kMostCells));
  }
  check_every_series_is_used(place, plan);
  check_clock(place, plan);
  check_transports(place, plan);
  check_policies_of_series(place, plan);
  check_trigger(place, root, plan);
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
    const std::vector<std::size_t> cell_of = resolve_claim(relation, cells, plan.classes);
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

}  // namespace precipice
