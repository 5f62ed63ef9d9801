// precipice trial: one model, one workload, one rate.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/capacity/windows.hpp"
#include "harness/cli/campaign_hosts.hpp"
#include "harness/cli/common_options.hpp"
#include "harness/cli/preflight.hpp"
#include "harness/report/trial_text.hpp"
#include "harness/store/trial_json.hpp"
#include "harness/trial/interrupt.hpp"
#include "harness/trial/policy_chain.hpp"
#include "harness/trial/request_class.hpp"
#include "harness/trial/spec.hpp"

namespace precipice::cli {
namespace {

struct TrialArguments : CellArguments, CommonArguments {
  std::string model, rate, closed, think, trigger, transport;
  std::vector<std::string> policies, classes;
};

/// What the virtual clock can simulate in a second or so, and slots can hold.
constexpr double kHighestVirtualRatePerS = 1e9;

TrialRequest request_from(const TrialArguments& a) {
  TrialRequest r;
  r.clock = parse_clock(a.clock);
  r.model = parse_model(a.model);
  r.workload = parse_workload(a.workload);
  check_clock(r.clock, r.model, r.workload);
  r.policies = parse_policies_of(a.policies, r.model);
  apply_transport(a.transport, r.model);
  r.classes = parse_classes(a.classes, "--class");
  if (a.rate.empty() == a.closed.empty())
    throw UsageError("give either --rate R (open loop) or --closed N (closed loop)");
  if (!a.rate.empty()) {
    r.rate_per_s = parse_rate(
        a.rate, "--rate", r.clock == ClockKind::real ? kHighestRatePerS : kHighestVirtualRatePerS);
    if (!a.think.empty())
      throw UsageError("--think belongs to a closed loop: give it with --closed");
  } else {
    r.closed = parse_count(a.closed, "--closed", 1, 1'000'000);
    if (!a.think.empty()) r.think = parse_seconds(a.think, "--think", true);
    if (!a.arrivals.empty())
      throw UsageError("--arrivals belongs to an open loop: give it with --rate");
  }
  if (!a.seconds.empty()) r.window = parse_seconds(a.seconds, "--seconds");
  if (!a.warmup.empty()) r.warmup = parse_seconds(a.warmup, "--warmup", true);
  if (!a.seed.empty()) r.seed = parse_count(a.seed, "--seed", 0, ~std::uint64_t{0});
  r.arrivals = Arrivals::parse(a.arrivals.empty() ? "poisson" : a.arrivals);
  // What ends in the window began before it, and what began in it ends after it.
  const Nanos longest = longest_service(r.model, r.workload);
  if (a.warmup.empty()) r.warmup = std::max(r.warmup, longest);
  if (!a.trigger.empty()) r.trigger = Trigger::parse(a.trigger);
  r.drain = resolve_drain(r.drain, r.model, r.workload);
  const Nanos work = nominal_service(r.model, r.workload);
  if (r.closed > 0 && r.window < work + r.think) {
    throw UsageError(fmt::format(
        "--seconds: in {} no request of {} begins and ends; a closed loop needs several of them",
        format_duration(r.window), format_duration(work + r.think)));
  }
  return r;
}

void apply_slo(const std::string& text, TrialRequest& r, TrialSource& source) {
  if (text.empty()) return;
  const Slo slo = parse_slo(text);
  r.slo_percentile = slo.percentile;
  r.slo = slo.bound;
  if (slo.times_service > 0) {
    const double service_ns = r.model.name == "oracle"
                                  ? static_cast<double>(oracle_shape(r.model).mean.count())
                                  : source.calibrate(r.workload, r.model_cpus).mean_ns;
    r.slo = Nanos(static_cast<std::int64_t>(slo.times_service * service_ns));
  }
}

int trial(const TrialArguments& arguments) {
  TrialRequest request = request_from(arguments);
  const CpuChoice cpus = choose_cpus(arguments);
  request.generator_cpus = cpus.generator;
  request.model_cpus = cpus.model;
  say_at_start(cpus, request.clock);
  watch_signals(true);
  TrialSource source;
  apply_slo(arguments.slo, request, source);
  check_policies(request.policies, request.slo, request.clock);
  Trial result = source.measure(request);
  if (const std::string cut_off = cut_off_sentence(result); !cut_off.empty())
    result.note += (result.note.empty() ? "" : "; ") + cut_off;
  if (arguments.json) {
    print_json(to_json(result));
  } else {
    print_text(trial_text(result));
  }
  return result.valid ? kDone : kInvalid;
}

void add_options(OptionParser& parser, TrialArguments& a) {
  parser.add_required("--model", a.model, kModelHelp);
  add_cell(parser, a);
  add_policies(parser, a.policies);
  add_transport(parser, a.transport);
  add_classes(parser, a.classes);
  parser.add_option("--rate", a.rate, "Open loop: requests offered per second, as in 5000 or 5k");
  parser.add_option("--closed", a.closed, "Closed loop: requests kept in flight, as in 64 or 10k");
  parser.add_option("--think", a.think, "Closed loop: pause before the next request, as in 1ms");
  parser.add_option("--trigger", a.trigger,
                    "In the middle of the window: 'step 1.4x for 1s at 2s' of the rate, or 'stall "
                    "500ms at 2s' of what requests depend on");
  add_common(parser, a);
  parser.footer(
      "Examples:\n"
      "  precipice trial --model io_uring --workload file --rate 20k --seconds 2\n"
      "  precipice trial --model fixed_pool --workload sleep:wait=2ms --closed 64 --json\n"
      "  precipice trial --model oracle:mean=1ms,service=exponential --workload empty --rate 500 "
      "\\\n"
      "      --clock virtual --seconds 100\n"
      "  precipice trial --model event_loop --policy hedge:after=10ms --workload sleep --rate 500");
}

}  // namespace

Verb trial_verb() {
  return make_verb<TrialArguments>("trial", "One model, one workload, one rate", add_options,
                                   trial);
}

}  // namespace precipice::cli
