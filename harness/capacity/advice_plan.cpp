#include "harness/capacity/advice_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "harness/capacity/plan_estimate.hpp"
#include "harness/capacity/windows.hpp"
#include "harness/trial/spec.hpp"
#include "models/distribution.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

using std::chrono::milliseconds;

// Three of them lie beyond a p99.
constexpr double kRequestsOfATrial = 300;
// A longer window would leave no budget for the trials of eight models.
constexpr int kLongestWindowOfBudget = 45;
// A cliff from shorter windows has no interval (Estimate).
constexpr int kWindowInBounds = 20;
constexpr int kMostBlocks = 9, kVirtualBlocks = 9;
constexpr std::uint64_t kVirtualRequests = 90'000;
// Twice the highest measured rate: such a pool is half idle at it.
constexpr double kEnough = 2 * kAdviceLoads.back();
constexpr std::uint64_t kLargestPool = 4096;

Nanos service_of(const AdviceQuestion& q) { return q.work.mean + q.waits * q.wait.mean; }

std::string workload_text(const AdviceQuestion& q) {
  const auto dist = [](const char* key, const VaryingTime& time) {
    return time.dist == "fixed" ? "" : fmt::format(",{}={}", key, time.dist);
  };
  if (q.wait.mean == Nanos(0))
    return fmt::format("cpu:work={}{}", exact_duration(q.work.mean), dist("dist", q.work));
  std::string text = fmt::format("mixed:work={},wait={}", exact_duration(q.work.mean),
                                 exact_duration(q.wait.mean));
  if (q.waits > 1) text += fmt::format(",waits={}", q.waits);
  // Without a distribution of their own the waits would have that of the work.
  text += dist("dist", q.work);
  if (q.wait.dist != q.work.dist) text += fmt::format(",wait_dist={}", q.wait.dist);
  return text;
}

/// The whole of a request as the service of a queue, whose distribution has to be one of those that
/// there are.
std::string simulated_service(const AdviceQuestion& q) {
  const bool fixed = q.work.dist == "fixed" && q.wait.dist == "fixed";
  if (fixed || q.wait.mean == Nanos(0)) return q.work.dist;
  if (q.work.mean == Nanos(0) && q.waits == 1) return q.wait.dist;
  throw UsageError(
      "--clock virtual: the sum of work and waits that vary is no distribution of the oracle; give "
      "one of them, or the queues themselves by --model oracle:servers=4,service=...,mean=...");
}

void add_once(std::vector<Spec>& models, const Spec& model) {
  const std::string text = model.to_string();
  const bool known = std::any_of(models.begin(), models.end(),
                                 [&](const Spec& each) { return each.to_string() == text; });
  if (!known) models.push_back(model);
}

void plan_simulated(const AdviceQuestion& q, Plan& plan) {
  plan.workloads = {parse_workload("empty")};
  for (const Spec& model : plan.models) {
    if (model.name != "oracle")
      throw UsageError(fmt::format("--clock virtual simulates oracle models, not {}", model.name));
  }
  if (service_of(q) > Nanos(0)) {
    for (const std::uint64_t size : pool_sizes(q, 0)) add_once(plan.models, pool_of(q, size));
  }
  if (plan.models.empty())
    throw UsageError("give --work or --wait, or oracle models by --model, to simulate");
  plan.blocks = kVirtualBlocks;
  plan.virtual_requests = kVirtualRequests;
}

void plan_measured(const AdviceQuestion& q, std::size_t cpus, Plan& plan) {
  if (service_of(q) == Nanos(0))
    throw UsageError("give what a request does, by --work, --wait or both");
  plan.workloads = {parse_workload(workload_text(q))};
  for (const char* model : {"event_loop", "io_uring", "work_stealing"})
    add_once(plan.models, parse_model(model));
  for (const std::uint64_t size : pool_sizes(q, cpus)) add_once(plan.models, pool_of(q, size));
  for (const Spec& model : plan.models) {
    if (model.name == "oracle")
      throw UsageError("an oracle does no work: it is measured with --clock virtual");
  }
  const Nanos bound =
      std::max(q.slo.bound, Nanos(static_cast<std::int64_t>(
                                q.slo.times_service * static_cast<double>(service_of(q).count()))));
  const auto for_requests =
      Nanos(static_cast<std::int64_t>(kRequestsOfATrial / q.rate_per_s * 1e9));
  const Nanos longest = std::max<Nanos>(milliseconds(500), q.budget / kLongestWindowOfBudget);
  plan.window = std::clamp<Nanos>(std::max(for_requests, kWindowInBounds * bound),
                                  milliseconds(300), longest);
  plan.coarse_window = std::max<Nanos>(milliseconds(200), plan.window / 4);
  plan.drain = milliseconds(300);
  plan.brief = true;
  plan.refine = {0.88, 0.96, 1.05};
  // What lies past the cliff is shown at the rates that were asked about.
  plan.overload.clear();
  plan.grid.clear();
  plan.repeats = 1;
  plan.budget = q.budget;
  plan.blocks = 1;
  const double one = estimate(plan).seconds;
  plan.blocks = 2;
  const double further = estimate(plan).seconds - one;
  plan.blocks =
      std::clamp(1 + static_cast<int>((seconds(q.budget) - one) / further), 2, kMostBlocks);
}

}  // namespace

VaryingTime parse_varying_time(std::string_view text, std::string_view what) {
  std::string compact(text);
  std::erase(compact, ' ');
  const std::size_t open = compact.find('(');
  VaryingTime time;
  if (open == std::string::npos || !compact.ends_with(')')) {
    time.mean = parse_duration(compact, what);
    return time;
  }
  const auto wrong = [&] {
    return UsageError(fmt::format(
        "{} '{}' is no time; write 4ms, or a distribution with its mean last: exponential(4ms), "
        "lognormal(0.5,4ms), pareto(2.5,4ms), bimodal(0.9,1ms,31ms)",
        what, text));
  };
  if (compact.starts_with("bimodal(")) {
    time.dist = Distribution::parse(compact, what).to_string();
    const std::size_t first = compact.find(','), second = compact.rfind(',');
    const double share = parse_number(compact.substr(open + 1, first - open - 1), what);
    Nanos low{0}, high{0};
    try {
      low = parse_duration(compact.substr(first + 1, second - first - 1), what);
      high = parse_duration(compact.substr(second + 1, compact.size() - second - 2), what);
    } catch (const UsageError&) {
      throw wrong();
    }
    time.mean = Nanos(std::llround(share * static_cast<double>(low.count()) +
                                   (1 - share) * static_cast<double>(high.count())));
    return time;
  }
  const std::size_t last =
      std::max(open, compact.rfind(',') == std::string::npos ? open : compact.rfind(','));
  try {
    time.mean = parse_duration(compact.substr(last + 1, compact.size() - last - 2), what);
  } catch (const UsageError&) {
    throw wrong();
  }
  const std::string shape = compact.substr(0, last) + (last > open ? ")" : "");
  time.dist = Distribution::parse(shape, what).to_string();
  return time;
}

double busy_at_rate(const AdviceQuestion& q) {
  Nanos service = service_of(q);
  if (service == Nanos(0) && !q.models.empty())
    service = nominal_service(q.models.front(), {"empty", {}});
  return q.rate_per_s * seconds(service);
}

Spec pool_of(const AdviceQuestion& q, std::uint64_t size) {
  if (q.clock == ClockKind::real) return parse_model(fmt::format("fixed_pool:threads={}", size));
  if (service_of(q) == Nanos(0))
    throw UsageError("give --work or --wait, which a simulated pool is to serve");
  return parse_model(fmt::format("oracle:servers={},service={},mean={}", size, simulated_service(q),
                                 exact_duration(service_of(q))));
}

std::optional<std::uint64_t> pool_size(const Spec& model) {
  const bool queue = model.name == "oracle";
  if (!queue && model.name != "fixed_pool") return std::nullopt;
  const Options options(model.name, model_named(model.name).options, model.given);
  if (queue && options.text("discipline") != "fcfs") return std::nullopt;
  return options.count(queue ? "servers" : "threads", 1, 1'000'000);
}

std::vector<std::uint64_t> pool_sizes(const AdviceQuestion& q, std::size_t cpus) {
  const double busy = busy_at_rate(q), service_s = seconds(service_of(q));
  if (!(service_s > 0)) return {};
  // As many threads as have all CPUs computing while the others wait.
  const double useful =
      cpus > 0 && q.work.mean > Nanos(0)
          ? std::ceil(static_cast<double>(cpus) * service_s / seconds(q.work.mean))
          : static_cast<double>(kLargestPool);
  double size = std::min({std::floor(busy) + 1, useful, static_cast<double>(kLargestPool)});
  std::vector<std::uint64_t> sizes;
  for (;; size *= 2) {
    sizes.push_back(static_cast<std::uint64_t>(size));
    if (size >= useful || size >= kEnough * busy || 2 * size > kLargestPool) return sizes;
  }
}

Plan plan_advice(const AdviceQuestion& q, std::size_t cpus) {
  Plan plan;
  plan.name = "advise";
  plan.seed = q.seed;
  plan.slo = q.slo;
  plan.arrivals = Arrivals::parse("poisson");
  plan.clock = q.clock;
  for (const double times : kAdviceLoads) plan.rates.push_back(times * q.rate_per_s);
  for (const Spec& model : q.models) add_once(plan.models, model);
  if (q.clock == ClockKind::virtual_time)
    plan_simulated(q, plan);
  else
    plan_measured(q, cpus, plan);
  return plan;
}

}  // namespace precipice
