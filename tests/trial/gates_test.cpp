// Who is to blame for a trial that does not count: every rule fires where it should, is silent
// where it should be, and names the right one. Reports are made up here, so nothing hangs on time.
#include "harness/trial/gates.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "harness/store/trial_json.hpp"
#include "harness/trial/failed_gates.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMs = 1'000'000;

/// A sound trial of one second: the generator on CPU 0, the model on CPUs 1 and 2, an SLO of 10 ms.
struct Case {
  Case() {
    trial.request.model.name = "fixed_pool";
    trial.request.workload.name = "cpu";
    trial.request.rate_per_s = 1000;
    trial.request.slo = 10ms;
    trial.request.generator_cpus = CpuSet({0});
    trial.request.model_cpus = CpuSet({1, 2});
    trial.counts.scheduled = trial.counts.sent = trial.counts.completed = 1000;
    trial.drained = true;
    input.stamps.in_flight_ns = input.integral_ns = 1e9;
    HostReport& host = input.host.emplace();
    host.elapsed_ns = 1e9;
    host.cpu_seconds = 3;
    // The generator spins; the model is busy on both of its CPUs.
    for (const int cpu : {0, 1, 2}) host.cpus.push_back({cpu, true, 60'000, 1e9, 5e6});
    host.watcher_cpu_ns = 0.995e9;
    host.process_cpu_ns = 3e9;
  }
  HostReport& host() { return *input.host; }
  Trial& judged() {
    apply_gates(input, trial);
    return trial;
  }
  std::set<std::string> causes() {
    std::set<std::string> result;
    for (const InvalidReason& reason : judged().invalid_reasons)
      result.emplace(to_string(reason.cause));
    return result;
  }
  std::string cause_of(TrialGate gate) const {
    for (const InvalidReason& reason : trial.invalid_reasons) {
      if (reason.gate == gate) return std::string(to_string(reason.cause));
    }
    return "";
  }

  GateInput input;
  Trial trial;
};

using Causes = std::set<std::string>;

TEST(Verdicts, ASoundTrialIsValid) {
  Case sound;
  EXPECT_EQ(sound.causes(), Causes{});
  EXPECT_TRUE(sound.trial.valid);
  EXPECT_EQ(sound.trial.hiccup_by_cpu_ns.at(2), 60'000);
}

TEST(Verdicts, AStallOfTheGeneratorsCpuAloneIsTheGenerators) {
  Case stalled;
  stalled.host().cpus[0].hiccup_max_ns = stalled.host().hiccup_max_ns = 20 * kMs;
  stalled.trial.self_lag.max = 20 * kMs;
  EXPECT_EQ(stalled.causes(), Causes{"generator"});
  EXPECT_EQ(stalled.cause_of(TrialGate::stall), "generator");
  EXPECT_FALSE(cannot_offer(stalled.trial));  // it could, had it run

  Case below;
  below.host().cpus[0].hiccup_max_ns = below.host().hiccup_max_ns = 5 * kMs;
  EXPECT_EQ(below.causes(), Causes{});
}

TEST(Verdicts, AStallOfAModelsCpuIsTheHosts) {
  Case stalled;
  stalled.host().cpus[2].hiccup_max_ns = stalled.host().hiccup_max_ns = 5 * kMs + 1;
  EXPECT_EQ(stalled.causes(), Causes{"host"});
  EXPECT_NE(stalled.trial.invalid_reasons.front().text.find("CPU 2"), std::string::npos);
  Case below;
  below.host().cpus[2].hiccup_max_ns = below.host().hiccup_max_ns = 5 * kMs;
  EXPECT_EQ(below.causes(), Causes{});
}

TEST(Verdicts, AStallOfAllCpusIsTheHostsEvenWhereItMadeTheGeneratorLate) {
  Case stalled;
  for (WatchedCpu& each : stalled.host().cpus) each.hiccup_max_ns = 20 * kMs;
  stalled.host().hiccup_max_ns = stalled.host().hiccup_all_ns = 20 * kMs;
  stalled.trial.self_lag.max = 21 * kMs;
  stalled.trial.self_lag.p99 = 10 * kMs;
  EXPECT_EQ(stalled.causes(), Causes{"host"});
  EXPECT_EQ(stalled.cause_of(TrialGate::self_lag_max), "host");

  // A lag far beyond what the machine stood still for is the generator's own.
  Case late;
  for (WatchedCpu& each : late.host().cpus) each.hiccup_max_ns = 6 * kMs;
  late.host().hiccup_max_ns = late.host().hiccup_all_ns = 6 * kMs;
  late.trial.self_lag.max = 100 * kMs;
  EXPECT_EQ(late.causes(), (Causes{"generator", "host"}));
}

TEST(Verdicts, OnACpuThatBothShareAStallIsTheHosts) {
  Case shared;
  shared.trial.request.generator_cpus = shared.trial.request.model_cpus = CpuSet({0});
  shared.host().cpus.resize(1);
  shared.host().process_cpu_ns = 1e9;
  shared.host().cpus[0].hiccup_max_ns = 20 * kMs;
  EXPECT_EQ(shared.causes(), Causes{"host"});
}

TEST(Verdicts, WithoutRunDelaysNoStallIsJudged) {
  // The probe may have waited behind a thousand threads of the model.
  Case hidden;
  hidden.host().run_delay_known = false;
  for (WatchedCpu& each : hidden.host().cpus) each.hiccup_max_ns = 50 * kMs;
  hidden.host().hiccup_all_ns = hidden.host().hiccup_max_ns = 50 * kMs;
  EXPECT_EQ(hidden.causes(), Causes{});
}

TEST(Verdicts, APausedGeneratorIsToldFromASlowModelByClosedForm) {
  // 1,000/s for 10 s without service time, the generator paused for 100 ms from an arrival on.
  constexpr std::size_t kCount = 10'000, kPaused = 5'000;
  Slots slots(kCount);
  std::vector<std::int64_t> intended(kCount);
  for (std::size_t id = 0; id < kCount; ++id) {
    intended[id] = static_cast<std::int64_t>(id) * kMs;
    const bool late = id >= kPaused && id < kPaused + 100;
    const std::int64_t at = late ? static_cast<std::int64_t>(kPaused + 100) * kMs : intended[id];
    slots.sent(id).dispatch_ns = slots[id].begin_ns = at;
    slots.complete(id, at, Outcome::ok(0));
  }
  Case paused;
  paused.trial.counts = {};
  paused.trial.request.window = 10s;
  Recording observation;
  observation.intended_ns = intended;
  observation.slots = &slots;
  observation.issued = kCount;
  observation.window_end_ns = 10'000 * kMs;
  observation.deadline_ns = 11'000 * kMs;
  paused.input.stamps = summarise(observation, paused.trial);
  paused.input.integral_ns = paused.input.stamps.in_flight_ns;
  const Trial& trial = paused.judged();
  EXPECT_DOUBLE_EQ(trial.self_lag.mean, 5050.0 * kMs / kCount);  // 100 + 99 + .. + 1 ms
  EXPECT_EQ(trial.self_lag.p99, 0);                              // 9,900 of 10,000 were on time
  EXPECT_EQ(trial.self_lag.p999, 90 * kMs);
  EXPECT_EQ(trial.self_lag.max, 100 * kMs);
  EXPECT_EQ(trial.model_lag.max, 0);
  EXPECT_FALSE(trial.valid);
  EXPECT_FALSE(trial.model_fault);
  ASSERT_EQ(trial.invalid_reasons.size(), 1U);
  EXPECT_EQ(paused.cause_of(TrialGate::self_lag_max), "generator");
}

TEST(Verdicts, AThousandRunnableThreadsOfTheModelAreNobodysFault) {
  // They keep both CPUs busy for all of the second, and all of it is on this process's account.
  Case crowded;
  crowded.trial.response.p99 = 900 * kMs;
  crowded.trial.model_stats = {{"threads", 1000}};
  EXPECT_EQ(crowded.causes(), Causes{});
  EXPECT_NEAR(crowded.trial.neighbours.took_ns, 0, 1);
}

TEST(Verdicts, ANeighbourOnTheModelsCpuIsTheHosts) {
  Case disturbed;
  disturbed.host().process_cpu_ns -= 0.5e9;  // of the 2 CPU-seconds of the model's CPUs
  EXPECT_EQ(disturbed.causes(), Causes{"host"});
  EXPECT_EQ(disturbed.cause_of(TrialGate::neighbour), "host");
  EXPECT_NE(disturbed.trial.invalid_reasons.front().text.find("50% of a CPU on the model's"),
            std::string::npos)
      << disturbed.trial.invalid_reasons.front().text;

  Case quiet;
  quiet.host().process_cpu_ns -= 0.05e9;
  EXPECT_EQ(quiet.causes(), Causes{});
}

TEST(Verdicts, ANeighbourOnTheGeneratorsCpuExcusesTheGenerator) {
  Case disturbed;
  disturbed.host().watcher_cpu_ns -= 0.5e9;
  disturbed.host().process_cpu_ns -= 0.5e9;
  disturbed.trial.self_lag.p99 = disturbed.trial.self_lag.max = 4 * kMs;
  disturbed.input.perfect_span_ns = 1e9;
  disturbed.input.realised_span_ns = 1.01e9;
  EXPECT_EQ(disturbed.causes(), Causes{"host"});
  EXPECT_EQ(disturbed.cause_of(TrialGate::self_lag), "host");
  EXPECT_FALSE(cannot_offer(disturbed.trial));  // a quiet machine may offer it

  Case alone;  // the same lag with the CPU to itself
  alone.trial.self_lag.p99 = alone.trial.self_lag.max = 4 * kMs;
  alone.input.perfect_span_ns = 1e9;
  alone.input.realised_span_ns = 1.01e9;
  EXPECT_EQ(alone.causes(), Causes{"generator"});
  EXPECT_TRUE(cannot_offer(alone.trial));
}

TEST(Verdicts, TheBackendsTimeIsNoNeighbours) {
  Case rpc;
  rpc.host().watcher_cpu_ns = 0.4e9;
  rpc.input.backend.emplace().cpu_ns = 0.595e9;
  EXPECT_EQ(rpc.causes(), Causes{});
}

TEST(Verdicts, AServerProcessOnTheGeneratorsCpuIsNoNeighbour) {
  Case called;
  called.host().watcher_cpu_ns -= 0.6e9;
  called.host().process_cpu_ns -= 0.6e9;  // a process of its own is not on this one's account
  called.input.backend.emplace().own_process = true;
  called.input.backend->cpu_ns = 0.6e9;
  called.input.backend->busy = 1;
  EXPECT_EQ(called.causes(), Causes{});
  EXPECT_NEAR(called.trial.neighbours.took_ns, 0, 1);

  for (const auto& [busy, share, whose] :
       {std::tuple{0.95, 0.25, "generator"}, std::tuple{0.95, 0.15, ""},  // the server's own limit
        std::tuple{0.80, 0.60, ""}}) {                                    // room is left
    Case shared;
    BackendReport& server = shared.input.backend.emplace();
    server.own_process = true;
    server.shared_cpus_busy = busy;
    server.generator_share = share;
    EXPECT_EQ(shared.causes(), *whose == '\0' ? Causes{} : Causes{whose}) << busy << ' ' << share;
    EXPECT_EQ(cannot_offer(shared.trial), *whose != '\0');
  }

  Case gone;
  gone.input.backend.emplace().own_process = true;
  gone.input.backend->stopped = true;
  EXPECT_EQ(gone.causes(), Causes{"backend"});
  EXPECT_EQ(gone.cause_of(TrialGate::backend_stopped), "backend");
}

TEST(Verdicts, AThreadOfOursOnTheOtherSideIsNoNeighbour) {
  Case strayed;
  strayed.host().watcher_cpu_ns -= 0.5e9;  // the generator's CPU ran half a second of the model
  EXPECT_EQ(strayed.causes(), Causes{});
}

TEST(Verdicts, LittlesLawHoldsOverAttemptsToo) {
  for (const auto& [stamps, integral, executing, fails] :
       {std::tuple(1e9, 1.0009e9, 0, false), std::tuple(1e9, 1.0011e9, 0, true),
        std::tuple(1.0011e9, 1e9, 0, true), std::tuple(1e9, 1e9, 1, true)}) {
    Case metered;
    metered.trial.attempts.emplace();
    metered.input.attempts_executed = {stamps, integral, executing};
    EXPECT_EQ(metered.causes(), fails ? Causes{"model"} : Causes{});
    EXPECT_EQ(metered.cause_of(TrialGate::little), fails ? "model" : "");
    EXPECT_EQ(metered.trial.model_fault, fails);
    EXPECT_NEAR(metered.trial.attempts->little_error, std::abs(stamps - integral) / 1e9, 1e-5);
    if (fails) {
      EXPECT_NE(metered.trial.invalid_reasons.front().text.find("over attempts"),
                std::string::npos);
    }
  }
}

TEST(Verdicts, WhatBoundsTheSearchIsTheLoadAndNotAHiccup) {
  const auto offered = [](std::vector<InvalidReason> reasons) {
    Trial trial;
    trial.invalid_reasons = std::move(reasons);
    return !cannot_offer(trial);
  };
  EXPECT_TRUE(offered({}));
  EXPECT_TRUE(offered({{Cause::generator, TrialGate::realised_rate, ""}}));
  EXPECT_TRUE(offered({{Cause::generator, TrialGate::self_lag, ""}}));
  EXPECT_FALSE(offered({{Cause::generator, TrialGate::self_lag, ""},
                        {Cause::generator, TrialGate::realised_rate, ""}}));
  EXPECT_FALSE(offered({{Cause::generator, TrialGate::unsent, ""}}));
  EXPECT_TRUE(
      offered({{Cause::generator, TrialGate::unsent, ""}, {Cause::host, TrialGate::stall, ""}}));
  EXPECT_TRUE(offered({{Cause::model, TrialGate::unsent, ""}}));
  EXPECT_TRUE(offered(
      {{Cause::generator, TrialGate::unsent, ""}, {Cause::generator, TrialGate::stall, ""}}));
  EXPECT_TRUE(offered({{Cause::backend, TrialGate::backend_lag, ""}}));
  EXPECT_FALSE(offered({{Cause::backend, TrialGate::backend_busy, ""},
                        {Cause::backend, TrialGate::backend_lag, ""}}));
}

TEST(Verdicts, ACpuThatWasTakenAwayIsTheHosts) {
  Case taken;
  taken.host().cpus[2].probed = false;
  taken.trial.self_lag.p99 = taken.trial.self_lag.max = 4 * kMs;
  EXPECT_EQ(taken.causes(), Causes{"host"});
  EXPECT_EQ(taken.cause_of(TrialGate::cpus), "host");
  EXPECT_TRUE(taken.trial.invalid_reasons.back().text.starts_with("CPU 2 is gone"))
      << taken.trial.invalid_reasons.back().text;
  EXPECT_FALSE(taken.trial.hiccup_by_cpu_ns.contains(2)) << "it was not watched to the end";

  Case moved;
  moved.input.generator_moved_to = CpuSet({1});
  EXPECT_EQ(moved.causes(), Causes{"host"});
  EXPECT_EQ(moved.cause_of(TrialGate::cpus), "host");
}

TEST(Verdicts, AQuotaThatThrottledIsNamed) {
  Case throttled;
  throttled.host().throttled_periods = 3;
  throttled.host().cpu_quota = 1.2;
  EXPECT_EQ(throttled.causes(), Causes{"host"});
  EXPECT_EQ(throttled.trial.invalid_reasons.front().text,
            "the cgroup's CPU quota of 1.20 CPUs throttled this process in 3 periods");
  EXPECT_TRUE(met_quota(throttled.trial));
  Case calm;
  calm.host().throttled_periods = 0;
  EXPECT_EQ(calm.causes(), Causes{});
  EXPECT_FALSE(met_quota(calm.trial));
}

TEST(Verdicts, ARealTimeProcessThatTheKernelPausedIsNotValidWhateverTheBound) {
  const auto paused = [](std::int64_t stall_ns, bool watched) {
    Case one;
    one.trial.request.slo = 1s;
    one.host().real_time_pause_ns = 50 * kMs;
    one.host().real_time_watched = watched;
    one.host().cpus[1].hiccup_max_ns = one.host().hiccup_max_ns = stall_ns;
    one.causes();
    return one.cause_of(TrialGate::rt_throttling);
  };
  EXPECT_EQ(paused(51 * kMs, true), "host");
  EXPECT_EQ(paused(20 * kMs, true), "");
  EXPECT_EQ(paused(300 * kMs, true), "") << "something else stopped it";
  EXPECT_EQ(paused(51 * kMs, false), "") << "its own threads may have been in the way";
  Case ordinary;
  ordinary.trial.request.slo = 1s;
  ordinary.host().cpus[1].hiccup_max_ns = ordinary.host().hiccup_max_ns = 51 * kMs;
  EXPECT_EQ(ordinary.causes(), Causes{});
}

TEST(Verdicts, WhatTheKernelDoesNotShowIsNotJudgedAndNotZero) {
  Case hidden;
  for (WatchedCpu& each : hidden.host().cpus) each.busy_ns = kNotShown;
  hidden.host().run_delay_known = false;
  EXPECT_EQ(hidden.causes(), Causes{});
  EXPECT_EQ(
      hidden.host().not_judged(),
      "stalls (no schedstat), steal and neighbours (no /proc/stat), throttling by a CPU quota "
      "(no cpu.stat)");
  EXPECT_TRUE(std::isnan(hidden.trial.neighbours.took_ns));
  EXPECT_FALSE(hidden.trial.hiccup_max_ns.has_value());
  OtherProcesses pooled;
  pooled += {1e6, 1e6, 1e9};
  pooled += hidden.trial.neighbours;
  EXPECT_EQ(pooled.elapsed_ns, 1e9) << "of which nothing is known is left out";

  Case shown;
  shown.host().steal_ticks = 0;
  shown.host().throttled_periods = 0;
  EXPECT_EQ(shown.host().not_judged(), "");
  shown.host().real_time_pause_ns = 50 * kMs;
  EXPECT_NE(shown.host().not_judged().find("real-time throttling"), std::string::npos);
}

TEST(Verdicts, WhatTheHostDidIsInTheJournal) {
  Case trial;
  trial.host().hiccup_all_ns = 7;
  trial.host().cpus.at(0).run_queue_wait_mean_ns = 300;
  trial.host().cpus.at(1).run_queue_wait_mean_ns = 40'000;
  trial.host().steal_ticks = 2;
  trial.host().process_cpu_ns -= 1e7;
  const Trial& written = trial.judged();
  const Trial read = trial_from_json(to_json(written));
  EXPECT_EQ(read.hiccup_all_ns, 7);
  EXPECT_EQ(read.run_queue_wait_ns, 40'000) << "that of the model's CPU alone";
  EXPECT_EQ(read.hiccup_by_cpu_ns, written.hiccup_by_cpu_ns);
  EXPECT_EQ(read.steal_ticks, 2);
  EXPECT_EQ(read.cpu_seconds, 3);
  EXPECT_DOUBLE_EQ(read.neighbours.took_ns, 1e7);
  EXPECT_DOUBLE_EQ(read.neighbours.bound_ns(), written.neighbours.bound_ns());
}

}  // namespace
}  // namespace precipice
