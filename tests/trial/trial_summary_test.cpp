// What a trial says of itself, from hand-made stamps with known answers.
#include "harness/trial/trial_summary.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

#include "harness/trial/gates.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMs = 1'000'000;

/// A trial of `count` requests, one a millisecond, each served in half of one unless a test says
/// otherwise.
struct Stamps {
  explicit Stamps(std::size_t count) : slots(count), intended(count) {
    for (std::size_t id = 0; id < count; ++id) {
      intended[id] = static_cast<std::int64_t>(id) * kMs;
      slots.sent(id).dispatch_ns = intended[id];
      slots[id].begin_ns = intended[id];
      slots.complete(id, intended[id] + kMs / 2, Outcome::ok(id));
    }
    trial.request.rate_per_s = 1000;
    trial.request.window = Nanos(static_cast<std::int64_t>(count) * kMs);
    trial.request.slo = 10ms;
  }

  Trial& summarised() {
    Recording observation;
    observation.intended_ns = intended;
    observation.slots = &slots;
    observation.issued = intended.size();
    observation.window_end_ns = trial.request.window.count();
    observation.deadline_ns = observation.window_end_ns + 1000 * kMs;
    observation.digests = digests;
    stamps = summarise(observation, trial);
    return trial;
  }
  Trial& judged() {
    summarised();
    GateInput input;
    input.stamps = stamps;
    input.integral_ns = integral_ns.value_or(stamps.in_flight_ns);
    input.host = host;
    input.backend = backend;
    apply_gates(input, trial);
    return trial;
  }
  bool blames(Cause cause, TrialGate gate) const {
    for (const InvalidReason& reason : trial.invalid_reasons) {
      if (reason.cause == cause && reason.gate == gate) return true;
    }
    return false;
  }

  Slots slots;
  std::vector<std::int64_t> intended;
  std::vector<std::uint64_t> digests;
  std::optional<double> integral_ns;
  std::optional<HostReport> host;
  std::optional<BackendReport> backend;
  StampTotals stamps;
  Trial trial;
};

TEST(Recording, AnUndisturbedTrialIsValidAndSaysWhatHappened) {
  Stamps stamps(1000);
  stamps.host.emplace();
  const Trial& trial = stamps.judged();
  EXPECT_TRUE(trial.valid);
  EXPECT_TRUE(trial.stable);
  EXPECT_TRUE(trial.drained);
  EXPECT_EQ(trial.counts.completed, 1000U);
  EXPECT_EQ(trial.response.p50, kMs / 2);
  EXPECT_EQ(trial.response.max, kMs / 2);
  EXPECT_DOUBLE_EQ(trial.goodput_per_s, 1000);
  EXPECT_NEAR(trial.in_flight_mean, 0.5, 1e-9);  // N = rate x latency
}

TEST(Recording, APausedGeneratorIsTheGeneratorsFaultAndNotASlowModel) {
  // 1000/s, no service time, the generator asleep for 100 ms from request 500 on.
  Stamps stamps(1000);
  for (std::size_t id = 0; id < 1000; ++id) {
    Slot& slot = stamps.slots[id];
    Sent& sent = stamps.slots.sent(id);
    if (id >= 500 && id < 600) sent.dispatch_ns = 600 * kMs;
    slot.begin_ns = slot.completion_ns = sent.dispatch_ns;
  }
  const Trial& trial = stamps.judged();
  EXPECT_EQ(trial.self_lag.max, 100 * kMs);
  EXPECT_EQ(trial.model_lag.max, 0);
  EXPECT_EQ(trial.response.max, 100 * kMs);  // charged to every request that it delayed
  EXPECT_FALSE(trial.valid);
  EXPECT_TRUE(stamps.blames(Cause::generator, TrialGate::self_lag));
  EXPECT_TRUE(stamps.blames(Cause::generator, TrialGate::self_lag_max));
}

TEST(Recording, ASlowSubmitIsTheModelsLag) {
  // One submit takes 100 ms; the requests that were due meanwhile go out back to back.
  Stamps stamps(1000);
  stamps.slots.sent(500).submit_ns = static_cast<std::int32_t>(100 * kMs);
  for (std::size_t id = 501; id < 600; ++id) stamps.slots.sent(id).dispatch_ns = 600 * kMs;
  const Trial& trial = stamps.judged();
  EXPECT_EQ(trial.self_lag.max, 0);
  EXPECT_EQ(trial.model_lag.max, 99 * kMs);
  EXPECT_FALSE(stamps.blames(Cause::generator, TrialGate::self_lag));
}

TEST(Recording, AnUnfinishedRequestCountsAtLeastUntilTheDeadline) {
  Stamps stamps(1000);
  Slot& slot = stamps.slots[0];
  slot.end = End::failed;
  slot.error = ECANCELED;  // cancelled at shutdown
  slot.completion_ns = 2001 * kMs;
  const Trial& trial = stamps.summarised();
  EXPECT_EQ(trial.counts.unfinished, 1U);
  EXPECT_EQ(trial.counts.failed, 0U);
  EXPECT_FALSE(trial.drained);
  EXPECT_EQ(trial.response.max, 2000 * kMs);
}

TEST(Recording, LossIsSheddingFailingAndNotFinishing) {
  Stamps stamps(1000);
  stamps.slots[1].end = End::failed;
  stamps.slots[1].error = ECONNRESET;
  stamps.slots[2].end = End::shed;
  stamps.slots[2].error = static_cast<int>(Refusal::threads);
  const Trial& trial = stamps.summarised();
  EXPECT_DOUBLE_EQ(trial.loss(), 0.002);
  EXPECT_EQ(trial.errors.at(ECONNRESET), 1U);
  EXPECT_EQ(trial.refusals.at("threads"), 1U);
}

TEST(Recording, AGrowingBacklogIsNotStable) {
  Stamps stamps(1000);
  for (std::size_t id = 0; id < 1000; ++id) {
    stamps.slots[id].completion_ns = stamps.intended[id] * 2 + kMs;  // half the rate is served
  }
  const Trial& trial = stamps.summarised();
  EXPECT_FALSE(trial.stable);
  EXPECT_NEAR(trial.in_flight_slope_per_s, 500, 10);
}

TEST(Gates, ALostRequestIsAFaultOfTheModel) {
  Stamps stamps(100);
  stamps.slots[7].ends = 0;
  stamps.slots[7].end = End::open;
  const Trial& trial = stamps.judged();
  EXPECT_TRUE(stamps.blames(Cause::model, TrialGate::conservation));
  EXPECT_TRUE(trial.model_fault);
  EXPECT_FALSE(trial.valid);
}

TEST(Gates, ARequestThatEndsTwiceIsAFaultOfTheModel) {
  Stamps stamps(100);
  stamps.slots.complete(7, 1, Outcome::ok(7));
  EXPECT_TRUE(stamps.judged().model_fault);
  EXPECT_TRUE(stamps.blames(Cause::model, TrialGate::conservation));
}

TEST(Gates, OneWrongDigestFailsTheTrial) {
  Stamps stamps(100);
  stamps.digests.resize(4096);
  for (std::size_t id = 0; id < 100; ++id) stamps.digests[request_seed(0, id)] = 1;
  for (std::size_t id = 0; id < 100; ++id) stamps.slots[id].digest = 1;
  EXPECT_TRUE(stamps.judged().valid);

  Stamps flipped(100);
  flipped.digests = stamps.digests;
  for (std::size_t id = 0; id < 100; ++id) flipped.slots[id].digest = id == 42 ? 1 ^ 0x80 : 1;
  const Trial& trial = flipped.judged();
  EXPECT_TRUE(flipped.blames(Cause::model, TrialGate::digest));
  EXPECT_FALSE(trial.valid);
  EXPECT_DOUBLE_EQ(trial.goodput_per_s, 990);
}

TEST(Gates, StampsThatDisagreeWithTheCounterBreakLittlesLaw) {
  Stamps stamps(1000);
  stamps.summarised();
  Stamps off(1000);
  off.integral_ns = stamps.stamps.in_flight_ns * 1.002;
  EXPECT_FALSE(off.judged().valid);
  EXPECT_TRUE(off.blames(Cause::model, TrialGate::little));
  Stamps near(1000);
  near.integral_ns = stamps.stamps.in_flight_ns * 1.0005;
  EXPECT_TRUE(near.judged().valid);
}

TEST(Gates, AStallAboveHalfTheSloIsTheHosts) {
  Stamps stamps(100);
  stamps.host.emplace().hiccup_max_ns = 5 * kMs + 1;
  EXPECT_FALSE(stamps.judged().valid);
  EXPECT_TRUE(stamps.blames(Cause::host, TrialGate::stall));
  Stamps calm(100);
  calm.host.emplace().hiccup_max_ns = 5 * kMs;
  EXPECT_TRUE(calm.judged().valid);
}

TEST(Gates, MoreThanATickOfStealACpuSecondIsTheHosts) {
  Stamps stamps(100);
  stamps.host.emplace();
  stamps.host->cpu_seconds = 2;
  stamps.host->steal_ticks = 3;
  EXPECT_FALSE(stamps.judged().valid);
  EXPECT_TRUE(stamps.blames(Cause::host, TrialGate::steal));
  Stamps little(100);
  little.host.emplace();
  little.host->cpu_seconds = 2;
  little.host->steal_ticks = 2;
  EXPECT_TRUE(little.judged().valid);
}

TEST(Gates, ThrottlingIsTheHosts) {
  Stamps stamps(100);
  stamps.host.emplace().throttled_periods = 1;
  EXPECT_FALSE(stamps.judged().valid);
  EXPECT_TRUE(stamps.blames(Cause::host, TrialGate::throttling));
}

TEST(Gates, AClosedLoopThatCompletesNothingIsNoMeasurement) {
  Stamps stamps(10);
  for (std::size_t id = 0; id < 10; ++id)
    stamps.slots[id].completion_ns = 2000 * kMs;  // after the deadline
  stamps.trial.request.closed = 10;
  EXPECT_FALSE(stamps.judged().valid);
  EXPECT_TRUE(stamps.blames(Cause::model, TrialGate::no_progress));
}

TEST(Gates, AClosedLoopThatIsTooLargeToTurnOverIsNoStalledDevice) {
  Trial trial;
  trial.request.closed = 1'000'000;
  trial.goodput_per_s = 12'560;
  apply_gates({}, trial);
  ASSERT_EQ(trial.invalid_reasons.size(), 1U);
  EXPECT_EQ(trial.invalid_reasons[0].gate, TrialGate::turnover);
  EXPECT_EQ(trial.invalid_reasons[0].text,
            "1000000 in flight at 12560/s need 80 s to turn over once, and the window is 1 s: a "
            "smaller --closed or longer --seconds");
}

TEST(Gates, ASlowBackendIsNotASlowModel) {
  Stamps stamps(100);
  stamps.backend.emplace().lag_p99_ns = kMs;  // 10% of the SLO
  EXPECT_FALSE(stamps.judged().valid);
  EXPECT_TRUE(stamps.blames(Cause::backend, TrialGate::backend_lag));
  Stamps busy(100);
  busy.backend.emplace().busy = 0.71;
  EXPECT_FALSE(busy.judged().valid);
  EXPECT_TRUE(busy.blames(Cause::backend, TrialGate::backend_busy));
  Stamps polling(100), polling_busy(100);
  polling.backend.emplace().busy = 0.89;
  polling.backend->polled = true;
  EXPECT_TRUE(polling.judged().valid);
  polling_busy.backend.emplace().busy = 0.91;
  polling_busy.backend->polled = true;
  EXPECT_FALSE(polling_busy.judged().valid);
}

TEST(Gates, RequestsThatWereNeverSentInvalidateTheTrial) {
  Stamps stamps(100);
  stamps.slots.sent(99).dispatch_ns = -1;
  stamps.slots[99].ends = 0;
  const Trial& trial = stamps.judged();
  EXPECT_EQ(trial.counts.unsent, 1U);
  EXPECT_TRUE(stamps.blames(Cause::generator, TrialGate::unsent));
  EXPECT_FALSE(trial.model_fault);
}

TEST(Gates, ARealisedRateOffTheScheduleInvalidatesTheTrial) {
  Stamps stamps(1000);
  stamps.summarised();
  GateInput input;
  input.stamps = stamps.stamps;
  input.integral_ns = stamps.stamps.in_flight_ns;
  input.perfect_span_ns = 1e9;
  input.realised_span_ns = 1.002e9;
  apply_gates(input, stamps.trial);
  EXPECT_TRUE(stamps.blames(Cause::generator, TrialGate::realised_rate));
}

}  // namespace
}  // namespace precipice
