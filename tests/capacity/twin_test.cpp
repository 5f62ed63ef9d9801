#include "harness/capacity/twin.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "harness/capacity/cell_evidence.hpp"
#include "harness/capacity/cell_twin.hpp"
#include "harness/capacity/long_run.hpp"
#include "harness/capacity/twin_fit.hpp"
#include "harness/capacity/twin_match.hpp"
#include "harness/capacity/twin_response.hpp"
#include "harness/stats/statistics.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

const Arrivals kPoisson = Arrivals::parse("poisson");

double exponential(std::uint64_t id, std::uint64_t seed) {
  Random random(mix64(id) ^ seed);
  return -std::log(random.uniform_positive());
}
double fixed(std::uint64_t, std::uint64_t) { return 1; }

TEST(LongRun, AgreesWithTheClosedForms) {
  LongRun& mm1 = LongRun::of({.kind = "test exponential"}, kPoisson, exponential);
  for (const double load : {0.3, 0.5, 0.61}) {
    EXPECT_NEAR(mm1.mean(load), 1 / (1 - load), 0.03 / (1 - load)) << load;
    // P(response > t) = exp(-(1 - load) t).
    EXPECT_NEAR(mm1.log_share_beyond(load, 8), -(1 - load) * 8, 0.12) << load;
  }
  LongRun& md1 = LongRun::of({.kind = "test fixed"}, kPoisson, fixed);
  EXPECT_NEAR(md1.mean(0.8), 1 + 0.8 / (2 * 0.2), 0.05);  // Pollaczek and Khinchine
  // Erlang's sum: P(response > 4.33) = 0.01008 at a load of 0.5.
  EXPECT_NEAR(md1.log_share_beyond(0.5, 4.33), std::log(0.01007937), 0.08);
  // The mean of a shared processor is that of a queue, for exponential service.
  LongRun& sharing =
      LongRun::of({.kind = "test exponential", .order = TwinOrder::sharing}, kPoisson, exponential);
  EXPECT_NEAR(sharing.mean(0.6), 2.5, 0.1);
  // So is that of any order which does not look at the service (Kleinrock 1976, section 3.4).
  LongRun& preemption = LongRun::of({.kind = "test exponential", .order = TwinOrder::preemption},
                                    kPoisson, exponential);
  EXPECT_NEAR(preemption.mean(0.6), 2.5, 0.1);
  EXPECT_GT(preemption.log_share_beyond(0.6, 20), mm1.log_share_beyond(0.6, 20) + 1);
  // With one request at a time none interrupts another.
  LongRun& one_at_once = LongRun::of(
      {.kind = "test fixed", .order = TwinOrder::preemption, .most_at_once = 1}, kPoisson, fixed);
  EXPECT_NEAR(one_at_once.mean(0.8), 1 + 0.8 / (2 * 0.2), 0.05);
  // Two servers: Erlang C at a load of 0.7 has a mean of 1 / (1 - 0.49).
  LongRun& mm2 = LongRun::of({.kind = "test exponential", .servers = 2}, kPoisson, exponential);
  EXPECT_NEAR(mm2.mean(0.7), 1 / (1 - 0.49), 0.05);
}

TEST(LongRun, BeyondTheLongestResponseIsLessThanOneOfTheSample) {
  LongRun& md1 = LongRun::of({.kind = "test fixed"}, kPoisson, fixed);
  EXPECT_LT(md1.log_share_beyond(0.2, 1000), std::log(1e-6));
  EXPECT_DOUBLE_EQ(md1.log_share_beyond(0.2, 0.5), 0);
}

/// A trial of the oracle, and the twin that knows its service exactly.
struct Pair {
  Point point;
  std::shared_ptr<const Twin> twin;
};

Pair pair_of(std::map<std::string, std::string> oracle, double rate_per_s, std::uint64_t closed,
             std::uint64_t seed, TwinError error = {}) {
  Plan plan;
  plan.clock = ClockKind::virtual_time;
  plan.oracle_twin = error;
  TrialRequest request;
  request.model = {"oracle", std::move(oracle)};
  request.workload = {"empty", {}};
  request.rate_per_s = rate_per_s;
  request.closed = closed;
  request.window = 500ms;
  request.warmup = 200ms;
  request.drain = 10s;
  request.seed = seed;
  request.slo = 10ms;
  request.clock = ClockKind::virtual_time;
  Record record;
  record.phase = Phase::refine;
  record.trial = simulate_trial(request);
  record.used = record.trial.valid;
  Pair pair;
  pair.point = point_of(record);
  pair.twin = twin_of(plan, request.model, request.workload, 1e6);
  return pair;
}

TEST(Twin, ReplaysTheVeryTrialOfAQueueItKnows) {
  for (const char* discipline : {"fcfs", "ps"}) {
    const auto order = std::string(discipline) == "ps" ? TwinOrder::sharing : TwinOrder::fcfs;
    const auto [point, twin] = pair_of(
        {{"servers", "2"}, {"service", "exponential"}, {"mean", "1ms"}, {"discipline", discipline}},
        1600, 0, 7);
    const Twin::Replay replay = *twin->replay(point, order, 0);
    EXPECT_EQ(replay.responses.count(), point.responses->count()) << discipline;
    for (const double p : {50.0, 90.0, 99.0, 100.0})
      EXPECT_NEAR(static_cast<double>(replay.responses.percentile(p)),
                  static_cast<double>(point.responses->percentile(p)), 2e4)
          << discipline << " p" << p;
    EXPECT_NEAR(replay.mean_ns, point.mean_response_ns, 2) << discipline;
    EXPECT_NEAR(replay.goodput_per_s, point.goodput_per_s, 1e-9) << discipline;
  }
}

TEST(TwinResponse, PartsTheResponseIntoQueueingAndWhatIsAdded) {
  // The twin believes S to be 3% shorter than it is; at 500/s M/M/1 has 1 / (1 - rho) S.
  Plan plan;
  plan.clock = ClockKind::virtual_time;
  plan.oracle_twin = TwinError{.slower = 1.03};
  const Spec model{"oracle", {{"service", "exponential"}, {"mean", "1ms"}}};
  std::vector<Point> trials;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    TrialRequest request;
    request.model = model;
    request.workload = {"empty", {}};
    request.rate_per_s = 500;
    request.window = 20s;
    request.warmup = 1s;
    request.drain = 10s;
    request.seed = seed;
    request.slo = 10ms;
    request.clock = ClockKind::virtual_time;
    Record record;
    record.phase = Phase::refine;
    record.trial = simulate_trial(request);
    record.used = true;
    trials.push_back(point_of(record));
  }
  const auto twin = twin_of(plan, model, {"empty", {}}, 1e6);
  const TwinResponse response = response_against_twin(trials, *twin);
  EXPECT_EQ(response.trials, 60);
  const double short_ns = 1e6 / 1.03, ideal_ns = short_ns / (1 - 0.5 / 1.03);
  EXPECT_NEAR(response.queueing_ns / (ideal_ns - short_ns), 1, 0.05);
  EXPECT_NEAR(response.added_ns / (2e6 - ideal_ns), 1, 0.1);
  EXPECT_TRUE(std::isnan(response_against_twin({}, *twin).added_ns));
}

TEST(Twin, ReplaysAClosedLoop) {
  const auto [point, twin] =
      pair_of({{"servers", "2"}, {"service", "exponential"}, {"mean", "1ms"}}, 0, 16, 3);
  EXPECT_NEAR(twin->replay(point, TwinOrder::fcfs, 0)->goodput_per_s, point.goodput_per_s, 1e-9);
}

TEST(Twin, IsTheOraclesOnlyInStudiesAndOnlyOfWorkThatComputes) {
  Plan plan;
  plan.model_cpus = CpuSet({1});
  const Spec oracle{"oracle", {{"mean", "1ms"}}}, nothing{"empty", {}}, loop{"event_loop", {}};
  const Spec cpu{"cpu", {{"work", "1ms"}}}, sleep{"sleep", {{"wait", "1ms"}}};
  EXPECT_EQ(twin_of(plan, oracle, nothing, 1e6), nullptr);
  EXPECT_EQ(twin_of(plan, loop, sleep, 1e6), nullptr);
  EXPECT_NE(twin_of(plan, loop, cpu, 1e6), nullptr);
  EXPECT_EQ(twin_of(plan, loop, cpu, 0), nullptr);
  plan.arrivals = Arrivals::parse("bursts(10ms,10ms)");
  EXPECT_EQ(twin_of(plan, loop, cpu, 1e6), nullptr);
}

TEST(Twin, DrawsWhatTheWorkloadDraws) {
  Plan plan;
  plan.model_cpus = CpuSet({1});
  const auto twin =
      twin_of(plan, {"event_loop", {}}, {"cpu", {{"work", "1ms"}, {"dist", "exponential"}}}, 1.1e6);
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 4096; ++seed) sum += twin->service().draw(9, seed);
  EXPECT_NEAR(sum / 4096, 1, 0.01);
  EXPECT_TRUE(twin->service().varies);
  EXPECT_NEAR(twin->capacity_per_s(0), 1e9 / 1.1e6, 1e-6);
}

/// Nine trials of M/D/1 around its cliff, 773.5/s. With `other_seeds` the points name schedules
/// that were not played.
RateGroups around_the_cliff(std::vector<Point>& points, std::shared_ptr<const Twin>& twin,
                            bool other_seeds) {
  for (int block = 0; block < 3; ++block) {
    for (const double rate : {700.0, 775.0, 850.0}) {
      auto [point, its_twin] =
          pair_of({{"servers", "1"}, {"service", "fixed"}, {"mean", "1ms"}}, rate, 0,
                  mix64(static_cast<std::uint64_t>(block) * 7 + static_cast<std::uint64_t>(rate)),
                  {.slower = 1.03, .scatter = 0.05});
      point.block = block;
      if (other_seeds) point.seed = ~point.seed;
      points.push_back(point);
      twin = its_twin;
    }
  }
  return RateGroups::gather(points, 99, {10e6, 5e6, 20e6});
}

constexpr TwinFitOptions kAtTheCliff = {
    .bound_ns = 10e6, .crossing_per_s = 775, .saturation_per_s = 1000, .index_of_dispersion = 33};

TEST(TwinFit, FindsWhatTheModelAddsAndExplainsTheRest) {
  std::vector<Point> points;
  std::shared_ptr<const Twin> twin;
  RateGroups groups = around_the_cliff(points, twin, false);
  const TwinFit fit = fit_twins(groups, *twin, kAtTheCliff);
  EXPECT_GE(fit.weight, 0.9);
  EXPECT_EQ(fit.order, TwinOrder::fcfs);
  EXPECT_NEAR(stretch_factor(fit.stretch), 1.03, 0.011);
  // The long run of the stretched twin reaches its bound where the queue does.
  EXPECT_NEAR(fit.crossing(std::log(0.01)), 773.5, 12);
}

TEST(TwinFit, OfTrialsThatWereNotPlayedIsNotUsed) {
  std::vector<Point> points;
  std::shared_ptr<const Twin> twin;
  RateGroups groups = around_the_cliff(points, twin, true);
  EXPECT_FALSE(fit_twins(groups, *twin, kAtTheCliff).used());
  for (const RateGroup& group : groups.open) {
    for (const GroupMember& member : group.members) EXPECT_EQ(member.exposure[0], member.responses);
  }
}

TEST(TwinFit, OfThreadsThatInterruptEachOtherTakesTheirOrder) {
  Twin::Service service{.kind = "test fixed", .mean_ns = 1e6, .draw = fixed, .varies = false};
  Twin::Service slower{.kind = "test scattered", .mean_ns = 1.03e6, .draw = {}};
  slower.draw = [](std::uint64_t id, std::uint64_t seed) {
    return 1 + 0.1 * (Random(mix64(id) ^ seed).uniform() - 0.5);
  };
  const Twin model(slower, kPoisson), twin(service, kPoisson);
  std::vector<Point> points;
  for (int block = 0; block < 3; ++block) {
    for (const double rate : {450.0, 500.0, 550.0}) {
      Point point;
      point.block = block;
      point.rate_per_s = rate;
      point.window = 2s;
      point.stable = point.valid = true;
      point.seed = mix64(static_cast<std::uint64_t>(block) * 7 + static_cast<std::uint64_t>(rate));
      const auto replay = model.replay(point, TwinOrder::preemption, 0);
      point.mean_response_ns = replay->mean_ns;
      point.goodput_per_s = point.offered_per_s = rate;
      point.requests = replay->responses.count();
      point.slo_percentile_ns = static_cast<double>(replay->responses.percentile(99));
      point.responses = std::make_shared<const Histogram>(replay->responses);
      points.push_back(point);
    }
  }
  RateGroups groups = RateGroups::gather(points, 99, {10e6, 5e6, 20e6});
  const TwinFit fit = fit_twins(groups, twin,
                                {.bound_ns = 10e6,
                                 .crossing_per_s = 500,
                                 .saturation_per_s = 970,
                                 .index_of_dispersion = 20});
  EXPECT_EQ(fit.order, TwinOrder::preemption);
  EXPECT_GE(fit.weight, 0.9);
  EXPECT_NEAR(stretch_factor(fit.stretch), 1.03, 0.021);
}

TEST(Twin, InterruptsNoRequestWhereOneIsServedAtATime) {
  Plan plan;
  plan.model_cpus = CpuSet({1});
  const auto twin_of_pool = [&](std::map<std::string, std::string> options) {
    return twin_of(plan, {"fixed_pool", std::move(options)}, {"cpu", {{"work", "1ms"}}}, 1e6);
  };
  EXPECT_FALSE(twin_of_pool({{"threads", "1"}})->can(TwinOrder::preemption));
  EXPECT_TRUE(twin_of_pool({{"threads", "2"}})->can(TwinOrder::preemption));
  EXPECT_EQ(twin_of_pool({})->service().most_at_once, 64);
  EXPECT_EQ(twin_of_pool({{"threads", "2k"}})->service().most_at_once, 2000);
  const auto can = [&](const char* model) {
    const auto twin = twin_of(plan, {model, {}}, {"cpu", {{"work", "1ms"}}}, 1e6);
    EXPECT_EQ(twin->can(TwinOrder::sharing), twin->can(TwinOrder::preemption)) << model;
    return twin->can(TwinOrder::preemption);
  };
  EXPECT_TRUE(can("thread_per_request"));
  for (const char* one_a_cpu : {"work_stealing", "event_loop", "io_uring", "inline"})
    EXPECT_FALSE(can(one_a_cpu)) << one_a_cpu;
}

TEST(TwinFit, ExpectsTheCrossingFromSaturationAlone) {
  std::vector<Point> points;
  std::shared_ptr<const Twin> twin;
  around_the_cliff(points, twin, false);
  EXPECT_NEAR(expected_crossing(1000, *twin, 10e6, 99), 773.5, 15);
  EXPECT_NEAR(expected_crossing(points, *twin, 10e6, 99), 773.5, 25);
  EXPECT_TRUE(std::isnan(expected_crossing(std::vector<Point>{}, *twin, 10e6, 99)));
}

}  // namespace
}  // namespace precipice
