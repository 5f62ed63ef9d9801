#include "harness/capacity/cell_plan.hpp"

#include <algorithm>
#include <string>

#include "harness/capacity/cell_twin.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/service_level.hpp"
#include "harness/capacity/usl.hpp"
#include "harness/capacity/windows.hpp"
#include "models/distribution.hpp"
#include "models/random.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

// The twin says more exactly where the crossing is than a short trial on either side of it.
constexpr double kCoarseRatioWithTwin = 1.16;
// Of a target's connections: from 1/16 of them in five doublings.
constexpr std::uint64_t kSweptBelow = 16;

/// A loop of N settles within a few times N / throughput. Where that is longer than the window,
/// it would show how the model orders its work (halves of requests done in the warm-up and
/// finished in the window) instead of what it carries; so N stays below what the CPUs can turn
/// over in half a window.
std::uint64_t highest_closed(const Plan& plan, const CellPlan& cell) {
  constexpr double kMost = 1U << 18;
  double most = kMost;
  if (const auto target = plan.target_of(cell.model)) {
    most = target->connections;
  } else if (cell.model.name != "oracle") {
    const WorkloadInfo& info = workload_named(cell.workload.name);
    const auto work = info.make(Options(info.name, info.options, cell.workload.given));
    const double cpu_s = seconds(work->nominal_cpu());
    const auto cpus = static_cast<double>(std::max<std::size_t>(1, plan.model_cpus.size()));
    if (cpu_s > 0) most = std::min(most, 0.5 * seconds(cell.coarse_window) * cpus / cpu_s);
    most = std::max(most, 4 * cpus);
  }
  return static_cast<std::uint64_t>(most);
}

/// Twice the time that the backlog of an overload needs to drain, so that its recovery is measured.
Nanos drain_of(const Plan& plan, const CellPlan& cell, const Probe& probe, double plateau_per_s) {
  const Nanos least =
      plan.clock == ClockKind::virtual_time ? std::max(cell.drain, cell.window) : cell.drain;
  if (probe.phase != Phase::overload || !(plateau_per_s > 0)) return least;
  const double excess = std::max(0.0, probe.rate_per_s / plateau_per_s - 1);
  return std::max(least,
                  Nanos(static_cast<std::int64_t>(
                      2 * excess * static_cast<double>((cell.warmup + cell.window).count()))));
}

}  // namespace

CellPlan plan_cell(const Plan& plan, const Spec& model, const Spec& workload,
                   const Calibration& service) {
  CellPlan cell;
  cell.model = model;
  cell.workload = workload;
  cell.service = service;
  cell.slo_percentile = plan.slo_of(workload).percentile;
  cell.slo_ns = resolve_slo_ns(plan.slo_of(workload), model, workload, service);
  cell.warmup = resolve_warmup(plan, service.mean_ns);
  const bool computes = model.name != "oracle" && only_computes(workload);
  cell.window =
      cell_window(plan, service.mean_ns, cell.slo_ns, computes ? plan.model_cpus.size() : 0);
  cell.coarse_window = resolve_window(plan.coarse_window, service.mean_ns);
  cell.drain = resolve_drain(plan.drain, model, workload);
  if (of_target(workload))
    cell.drain = std::max(cell.drain, Nanos(static_cast<std::int64_t>(2 * service.p99_ns)));
  const bool sized = plan.clock == ClockKind::virtual_time && plan.virtual_requests > 0;
  if (sized) {
    const auto servers = model.given.find("servers");
    const double count = servers == model.given.end() ? 1 : std::stod(servers->second);
    // A tail estimate scatters with the variance of the service, so that gets more requests.
    const auto dist = model.given.find("service");
    const double scv =
        dist == model.given.end() ? 0 : Distribution::parse(dist->second, "oracle: service").scv();
    const double requests =
        static_cast<double>(plan.virtual_requests) * std::clamp(1 + scv, 1.0, kMostForScatter);
    cell.window = Nanos(static_cast<std::int64_t>(requests * service.mean_ns / count));
    cell.coarse_window = cell.window / 4;
  }
  cell.window = std::max(cell.window, plan.arrivals.burst_cycle());
  SearchOptions& options = cell.search;
  // Free there: they bracket the looser cliffs of a queue whose own is far below its plateau.
  if (sized) options.towards_plateau = {0.8, 0.92, 0.97, 0.99};
  options.slo_ns = cell.slo_ns;
  options.slo_percentile = cell.slo_percentile;
  options.refine = plan.refine;
  options.overload = plan.overload;
  options.grid = plan.grid;
  options.grid_every_block = !plan.brief;
  options.twin = twin_of(plan, model, workload, cell.service.mean_ns);
  if (options.twin) options.coarse_ratio = kCoarseRatioWithTwin;
  options.rates = plan.rates;
  options.seed = plan.seed;
  // Work that waits is far from its plateau with a handful in flight; the doubling starts where
  // it can matter.
  const bool waits = workload.name != "empty" && !only_computes(workload);
  // On the virtual clock the law is known; here it is worth a trial more.
  if (plan.clock == ClockKind::real) {
    options.least_sweep = kUslFewestN;
    options.longest_turn_s = seconds(cell.coarse_window);
  }
  options.first_closed = waits ? 64 : std::max<std::size_t>(1, plan.model_cpus.size());
  options.highest_closed = highest_closed(plan, cell);
  if (const auto target = plan.target_of(model)) {
    // Whether more connections would carry more shows below their number.
    options.first_closed = std::max<std::uint64_t>(1, target->connections / kSweptBelow);
    options.highest_rate_per_s = target->max_rate_per_s;
  }
  options.first_closed = std::min(options.first_closed, options.highest_closed);
  return cell;
}

TrialRequest request_for(const Plan& plan, const CellPlan& cell, const Probe& probe, int block,
                         double plateau_per_s) {
  // A saturated queue repeats within a quarter of the requests that a tail needs.
  const bool saturated = plan.clock == ClockKind::virtual_time && plan.virtual_requests > 0 &&
                         probe.phase == Phase::overload;
  const bool coarse = probe.phase == Phase::plateau || probe.phase == Phase::coarse || saturated;
  TrialRequest request;
  request.model = cell.model;
  request.policies = plan.policies_of(cell.model);
  request.workload = cell.workload;
  request.rate_per_s = probe.rate_per_s;
  request.closed = probe.closed;
  request.window = coarse ? cell.coarse_window : cell.window;
  if (probe.closed == 0) {
    // Part of a cycle would offer another rate than the one that is asked for.
    const Nanos cycle = plan.arrivals.cycle(probe.rate_per_s);
    if (cycle <= cell.window)
      request.window =
          plan.arrivals.whole_cycles(probe.rate_per_s, std::max(request.window, cycle));
  }
  request.warmup = cell.warmup;
  request.drain = drain_of(plan, cell, probe, plateau_per_s);
  // All models of a block replay the same sequences.
  request.seed = mix64(mix64(plan.seed + 0x9e37 * (static_cast<std::uint64_t>(block) + 1)) +
                       static_cast<std::uint64_t>(probe.sequence));
  // The coarse search has one of its own: rates chosen by a sequence that the first block then
  // replays would agree with it by chance.
  if (probe.phase == Phase::coarse) request.seed = mix64(~plan.seed);
  request.arrivals = plan.arrivals;
  request.slo = Nanos(static_cast<std::int64_t>(cell.slo_ns));
  request.slo_percentile = cell.slo_percentile;
  request.generator_cpus = plan.generator_cpus;
  request.model_cpus = plan.model_cpus;
  request.classes = plan.classes;
  request.clock = plan.clock;
  request.target = plan.target_of(cell.model);
  const bool at_rates =
      probe.phase == Phase::grid &&
      std::find(plan.rates.begin(), plan.rates.end(), probe.rate_per_s) != plan.rates.end();
  if (at_rates) request.trigger = plan.trigger;
  return request;
}

}  // namespace precipice
