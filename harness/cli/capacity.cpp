// precipice capacity: the cliff and the saturation of models on one workload.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/indicative.hpp"
#include "harness/capacity/windows.hpp"
#include "harness/cli/campaign_exit.hpp"
#include "harness/cli/campaign_hosts.hpp"
#include "harness/cli/common_options.hpp"
#include "harness/cli/preflight.hpp"
#include "harness/cli/target_options.hpp"
#include "harness/compare/ranking.hpp"
#include "harness/format.hpp"
#include "harness/json.hpp"
#include "harness/report/capacity_table.hpp"
#include "harness/report/ranking_table.hpp"
#include "harness/report/text_style.hpp"
#include "harness/store/cell_json.hpp"
#include "harness/store/comparison_json.hpp"
#include "harness/store/suite.hpp"
#include "harness/trial/interrupt.hpp"
#include "harness/trial/policy_chain.hpp"
#include "harness/trial/request_class.hpp"
#include "harness/trial/spec.hpp"

namespace precipice::cli {
namespace {

struct CapacityArguments : CellArguments, CommonArguments, TargetArguments {
  std::vector<std::string> models, policies, classes;
  std::string blocks, precision, budget, transport;
  bool force = false;
};

// Virtual time costs little, so there are enough blocks for an interval worth the name.
constexpr int kVirtualBlocks = 9;
constexpr std::uint64_t kVirtualRequests = 90'000;  // a trial; all of it takes a second at most
// What a minute on a quiet machine gives: many short blocks, because the interval comes from them.
constexpr int kMostBlocks = 40;
constexpr double kPrecision = 0.03;
constexpr Nanos kBudgetOfModel = std::chrono::seconds(60);

// What most services are held to, where the user states nothing: S, and so a multiple of it, is
// not known of a server before it is asked.
constexpr const char* kSloOfTarget = "p99 < 20ms";

/// The cell of --target, in place of models and a workload.
void add_cell_of_target(const CapacityArguments& a, Plan& plan) {
  if (!a.models.empty() || !a.workload.empty() || !a.policies.empty() || !a.transport.empty() ||
      !a.classes.empty()) {
    throw UsageError(
        "--target is measured as it is: --model, --workload, --policy, --transport and --class are "
        "for models of this program");
  }
  if (plan.clock == ClockKind::virtual_time)
    throw UsageError("--clock virtual simulates the oracle, not --target");
  auto target = std::make_shared<const Target>(target_of(a));
  const Spec model{target->name, {}};
  plan.targets[model.to_string()] = std::move(target);
  plan.models = {model};
  plan.workloads = {Spec{std::string(kTargetWorkload), {}}};
  plan.slo = parse_slo(a.slo.empty() ? kSloOfTarget : a.slo);
  if (plan.slo.times_service > 0)
    throw UsageError("--slo: give a time, as in 'p99<20ms': S of a server is not known here");
}

void add_cells_of_models(const CapacityArguments& a, Plan& plan) {
  for (const auto& [given, option] :
       {std::pair(a.models.empty(), "--model"), std::pair(a.workload.empty(), "--workload")}) {
    if (given) throw UsageError(fmt::format("{} is required, or --target", option));
  }
  plan.workloads = {parse_workload(a.workload)};
  plan.classes = parse_classes(a.classes, "--class");
  for (const std::string& text : a.models) {
    Spec model = parse_model(text);
    check_clock(plan.clock, model, plan.workloads.front());
    if (!a.policies.empty()) {
      const std::vector<Spec> policies = parse_policies_of(a.policies, model);
      plan.policies[model.policy] = policies;
    }
    apply_transport(a.transport, model);
    const bool twice = std::any_of(plan.models.begin(), plan.models.end(), [&](const Spec& known) {
      return known.to_string() == model.to_string();
    });
    if (twice) throw UsageError(fmt::format("--model '{}' is given twice", text));
    plan.models.push_back(std::move(model));
  }
}

Plan plan_from(const CapacityArguments& a) {
  Plan plan;
  plan.clock = parse_clock(a.clock);
  plan.virtual_requests = kVirtualRequests;
  if (a.target.empty())
    add_cells_of_models(a, plan);
  else
    add_cell_of_target(a, plan);
  plan.arrivals = Arrivals::parse(a.arrivals.empty() ? "poisson" : a.arrivals);
  if (!a.slo.empty() && a.target.empty()) plan.slo = parse_slo(a.slo);
  if (!a.policies.empty() && a.slo.empty()) {
    throw UsageError(
        "--policy: state the SLO, as in --slo 'p99<20ms': the default is relative to the work, "
        "and a policy may hold a request back longer than that");
  }
  for (const auto& [name, policies] : plan.policies)
    check_policies(policies, plan.slo.bound, plan.clock);
  if (!a.blocks.empty()) {
    plan.blocks = static_cast<int>(parse_count(a.blocks, "--blocks", 1, 1000));
  } else if (plan.clock == ClockKind::virtual_time) {
    plan.blocks = kVirtualBlocks;
  } else {
    plan.blocks = kMostBlocks;
    plan.precision = kPrecision;
    plan.budget = static_cast<int>(plan.models.size()) * kBudgetOfModel;
    plan.refine = {0.86, 0.94, 1.02};
    plan.overload = {1.5};
    plan.grid = {0.6};
  }
  if (!a.precision.empty()) plan.precision = parse_share(a.precision, "--precision");
  if (!a.budget.empty()) plan.budget = parse_seconds(a.budget, "--budget");
  if (!a.seconds.empty()) {
    plan.window = parse_seconds(a.seconds, "--seconds");
    const std::string why = why_too_short(plan, plan.window, true);
    if (!why.empty()) throw UsageError(fmt::format("--seconds: {}", why));
    if (plan.clock == ClockKind::virtual_time) plan.coarse_window = plan.window / 4;
    plan.virtual_requests = 0;
  }
  if (const std::string why = why_cycle_too_long(plan); !why.empty())
    throw UsageError(fmt::format("--arrivals: {}", why));
  if (!a.warmup.empty()) plan.warmup = parse_seconds(a.warmup, "--warmup");
  if (!a.seed.empty()) plan.seed = parse_count(a.seed, "--seed", 0, ~std::uint64_t{0});
  return plan;
}

/// Of one model its document alone.
Json json_of(const CampaignResult& result) {
  if (result.cells.size() == 1) return capacity_json(result.cells.front());
  Json json = {{"schema", kSchema}};
  Json& cells = json["cells"] = Json::array();
  for (const CellSummary& cell : result.cells) cells.push_back(capacity_json(cell));
  json["ranking"] = ranking_json(rank_models(result));
  return json;
}

std::string text_of(const CampaignResult& result, const TableStyle& style) {
  std::string text = table(result, style);
  if (result.cells.size() > 1) text += '\n' + ranking(rank_models(result), style);
  return text;
}

int exit_of_capacity(const CampaignResult& result) {
  int code = kDone;
  for (const CellSummary& cell : result.cells) {
    if (cell.failure.empty() && cell.result.cliff.reached != Reached::unmeasured) continue;
    if (!cell.lacking) return kInvalid;
    code = kLacking;
  }
  return code;
}

int capacity(const CapacityArguments& arguments) {
  Plan plan = plan_from(arguments);
  const CpuChoice cpus = choose_cpus(arguments);
  plan.generator_cpus = cpus.generator;
  plan.model_cpus = cpus.model;
  if (plan.clock == ClockKind::real) {
    say_at_start(cpus, plan.clock);
    double expected_s = estimate(plan).seconds;
    if (plan.budget.count() > 0)
      expected_s = std::min(expected_s, std::chrono::duration<double>(plan.budget).count());
    remark(fmt::format("this takes about {}{}", readable_duration(expected_s),
                       plan.precision > 0 ? ", less where the figures are precise sooner" : ""));
  }
  // A server that is not this program's is left alone at the first signal.
  watch_signals(!plan.targets.empty());
  look_at_noise(plan, arguments.force, !arguments.seconds.empty());
  Terminal progress(stderr), out(stdout);
  InMemoryHost host(progress);
  const CampaignResult result = run_campaign(plan, host);
  progress.clear_live();
  if (result.cells.empty()) {
    if (result.interrupted) throw Interrupted("interrupted before anything was measured");
    throw std::logic_error("the campaign has measured no cell");
  }
  if (arguments.json)
    print_json(json_of(result));
  else
    print_text(text_of(result, out.style()));
  if (result.interrupted) throw Interrupted("interrupted: the figures are from what was measured");
  if (const std::string nothing = nothing_valid(result); !nothing.empty()) {
    remark(nothing);
  } else {
    for (const CellSummary& cell : result.cells) remark(cell.failure);
  }
  return exit_of_capacity(result);
}

void add_options(OptionParser& parser, CapacityArguments& a) {
  add_models(parser, a.models, std::string(kModelHelp) + ", or several, each with its --model");
  parser.add_option("--target", a.target,
                    "In place of a model and a workload: a server, as in http://127.0.0.1:8080/ "
                    "(https://..., unix:/SOCKET:/PATH)");
  add_cell_or_target(parser, a);
  add_target(parser, a);
  add_policies(parser, a.policies);
  add_transport(parser, a.transport);
  add_classes(parser, a.classes);
  parser.add_option(
      "--blocks", a.blocks,
      "Exactly so many repetitions of the whole measurement (default: as --precision asks)");
  parser.add_option("--precision", a.precision,
                    "Stop when cliff and saturation are known to within this (default: 3%)");
  parser.add_option("--budget", a.budget,
                    "Begin no block that would end after this (default: 60s a model)");
  add_force(parser, a.force);
  add_common(parser, a);
  parser.footer(
      "Examples:\n"
      "  precipice capacity --model event_loop --workload sleep:wait=5ms --slo 'p99<20ms'\n"
      "  precipice capacity --target http://127.0.0.1:8080/ --slo 'p99<20ms' --budget 2m\n"
      "  precipice capacity --model event_loop --model fixed_pool:threads=8 --workload cpu\n"
      "  precipice capacity --model oracle:servers=1,service=fixed,mean=1ms --workload empty \\\n"
      "      --clock virtual --json");
}

}  // namespace

Verb capacity_verb() {
  return make_verb<CapacityArguments>(
      "capacity", "The cliff and the saturation of models on one workload, or of a server",
      add_options, capacity);
}

}  // namespace precipice::cli
