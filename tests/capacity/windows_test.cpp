// What a window has to hold before it counts as a measurement.
#include "harness/capacity/windows.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/capacity/ideal.hpp"
#include "harness/capacity/record.hpp"
#include "harness/json.hpp"
#include "harness/store/suite.hpp"
#include "harness/store/summary_files.hpp"
#include "harness/store/trial_json.hpp"
#include "harness/trial/failed_gates.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "models/options.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

TrialRequest request_of(std::map<std::string, std::string> oracle, double rate_per_s,
                        Nanos window) {
  TrialRequest request;
  request.model = {"oracle", std::move(oracle)};
  request.workload = {"empty", {}};
  request.rate_per_s = rate_per_s;
  request.window = window;
  request.clock = ClockKind::virtual_time;
  return request;
}

std::string gate_of(const Trial& trial) {
  return trial.invalid_reasons.empty() ? ""
                                       : std::string(to_string(trial.invalid_reasons.front().gate));
}

TEST(Window, WithoutARequestIsInvalidAndHasNoPercentiles) {
  const Trial trial = simulate_trial(request_of({{"mean", "1ms"}}, 0.01, 100ms));
  EXPECT_FALSE(trial.valid);
  EXPECT_EQ(gate_of(trial), "empty_window");
  EXPECT_TRUE(cannot_be_repeated(trial));
  EXPECT_FALSE(trial.response.known);
  const Json json = to_json(trial);
  for (const char* key : {"mean", "p50", "p99", "p999", "max"})
    EXPECT_TRUE(json["response_ns"][key].is_null()) << key;
  EXPECT_TRUE(json["slo_percentile_ns"].is_null());
  EXPECT_FALSE(trial_from_json(json).response.known);
  Record record;
  record.trial = trial;
  EXPECT_NE(points_row(record).find(",0,,,,,,,,"), std::string::npos) << points_row(record);
}

TEST(Window, OfRequestsThatEndHasPercentilesThatAreRead) {
  const Trial trial = simulate_trial(request_of({{"mean", "1ms"}}, 500, 1s));
  EXPECT_TRUE(trial.valid);
  const Trial read = trial_from_json(to_json(trial));
  EXPECT_TRUE(read.response.known);
  EXPECT_EQ(read.response.p99, trial.response.p99);
  EXPECT_FALSE(read.response_bound_from_ns);
  EXPECT_EQ(cut_off_sentence(trial), "");
}

TEST(Window, CutOffAtTheDrainGivesLowerBoundsThatSaySo) {
  // Twice what one server carries: at the deadline half of the requests wait still.
  TrialRequest request = request_of({{"mean", "10ms"}}, 200, 1s);
  request.warmup = 0s;
  request.drain = 100ms;
  const Trial trial = simulate_trial(request);
  ASSERT_GT(trial.counts.unfinished, 0u);
  ASSERT_TRUE(trial.response_bound_from_ns);
  EXPECT_GE(*trial.response_bound_from_ns, 100'000'000);
  EXPECT_TRUE(trial.is_lower_bound(trial.response.max));
  EXPECT_FALSE(trial.is_lower_bound(*trial.response_bound_from_ns - 1));
  const std::string sentence = cut_off_sentence(trial);
  EXPECT_NE(sentence.find("p99"), std::string::npos) << sentence;
  EXPECT_NE(sentence.find(std::to_string(trial.counts.unfinished)), std::string::npos) << sentence;
  EXPECT_EQ(trial_from_json(to_json(trial)).response_bound_from_ns, trial.response_bound_from_ns);
}

TEST(Window, OfAPartOfABurstIsInvalidWithItsFactor) {
  TrialRequest request = request_of({{"mean", "1ms"}}, 50, 500ms);
  request.warmup = 300ms;
  request.arrivals = Arrivals::parse("bursts(1s,9s)");
  const Trial part = simulate_trial(request);
  EXPECT_EQ(gate_of(part), "offered_rate");
  EXPECT_NE(part.invalid_reasons.front().text.find("10 times the 50"), std::string::npos)
      << part.invalid_reasons.front().text;
  request.window = 10s;
  const Trial whole = simulate_trial(request);
  EXPECT_TRUE(whole.valid) << gate_of(whole);
  EXPECT_NEAR(whole.offered_per_s, 50, 5);
}

TEST(Arrivals, OfferTheRateOverWholeCyclesAndAnotherOverParts) {
  const Arrivals bursts = Arrivals::parse("bursts(10ms,90ms)");
  constexpr std::int64_t kMs = 1'000'000;
  EXPECT_DOUBLE_EQ(bursts.offered_share(1000, 0, 100 * kMs), 1);
  EXPECT_DOUBLE_EQ(bursts.offered_share(1000, 37 * kMs, 337 * kMs), 1);
  EXPECT_DOUBLE_EQ(bursts.offered_share(1000, 0, 10 * kMs), 10);
  EXPECT_DOUBLE_EQ(bursts.offered_share(1000, 20 * kMs, 90 * kMs), 0);
  EXPECT_DOUBLE_EQ(bursts.offered_share(1000, 0, 150 * kMs), 2 / 1.5);
  EXPECT_EQ(bursts.whole_cycles(1000, 101ms), 200ms);
  EXPECT_EQ(bursts.whole_cycles(1000, 200ms), 200ms);
  EXPECT_EQ(bursts.whole_cycles(1000, 50ms), 50ms);  // not a cycle: for the gate to say
  const Arrivals poisson = Arrivals::parse("poisson");
  EXPECT_EQ(poisson.offered_share(1000, 3, 5), 1);
  EXPECT_EQ(poisson.whole_cycles(1000, 123ms), 123ms);
  // Without a pause there is nothing to cut.
  EXPECT_EQ(Arrivals::parse("bursts(10ms,0ms)").offered_share(1000, 0, 15 * kMs), 1);
}

std::string suite(const std::string& load, const std::string& workload) {
  return "schema = 1\nname = \"w\"\n[load]\n" + load +
         "\n[[model]]\nuse = \"event_loop\"\n[[workload]]\n" + workload;
}

std::string refusal(const std::string& text) {
  try {
    parse_suite(text, "w.toml");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(SuiteWindows, ShorterThanTheWorkAreRefusedWithTheirLine) {
  const std::string sleep = "use = \"sleep\"\nwait = \"100ms\"\n";
  for (const char* key : {"window", "coarse_window", "drain"}) {
    const std::string why = refusal(suite(std::string(key) + " = \"50ms\"", sleep));
    EXPECT_NE(why.find("w.toml:4: load." + std::string(key)), std::string::npos) << why;
    EXPECT_NE(why.find("100ms"), std::string::npos) << why;
    EXPECT_EQ(refusal(suite(std::string(key) + " = \"100ms\"", sleep)), "");
  }
  const std::string why =
      refusal(suite("arrivals = \"bursts(10ms,1990ms)\"\nwindow = \"1s\"", "use = \"cpu\"\n"));
  EXPECT_NE(why.find("less than one cycle"), std::string::npos) << why;
}

std::string of_bursts(const std::string& arrivals, const std::string& mean,
                      const std::string& more = "") {
  return refusal("schema = 1\nname = \"w\"\n[load]\nclock = \"virtual\"\narrivals = \"" + arrivals +
                 "\"\n" + more + "[[model]]\nuse = \"oracle\"\nmean = \"" + mean +
                 "\"\n[[workload]]\nuse = \"empty\"\n");
}

TEST(SuiteWindows, ACycleThatNoTrialHoldsIsRefusedWithItsCure) {
  // Sized by requests: 200,000 of a server, up to four times as many.
  EXPECT_EQ(of_bursts("bursts(1ns,799s)", "1ms"), "");
  const std::string sized = of_bursts("bursts(1ns,801s)", "1ms");
  EXPECT_NE(sized.find("w.toml:5: load.arrivals"), std::string::npos) << sized;
  EXPECT_NE(sized.find("a cycle of bursts(1ns,801s)"), std::string::npos) << sized;
  EXPECT_NE(sized.find("shorten on and off, or name a window"), std::string::npos) << sized;
  EXPECT_EQ(of_bursts("bursts(1ns,801s)", "1ms", "window = \"15m\"\n"), "");
  // Named: 50 million at most, at 1.5 times what is carried.
  EXPECT_EQ(of_bursts("bursts(1s,32s)", "1us", "window = \"33s\"\n"), "");
  const std::string most = of_bursts("bursts(1s,33s)", "1us", "window = \"34s\"\n");
  EXPECT_NE(most.find("is offered up to 5.1e+07 requests"), std::string::npos) << most;
  EXPECT_NE(most.find("50000000"), std::string::npos) << most;
  // No window is longer than an hour.
  EXPECT_NE(of_bursts("bursts(1ns,1h)", "1ms").find("at most 1h for on and off together"),
            std::string::npos);
}

TEST(SuiteWindows, OfARunThatIsThereAreRead) {
  const std::string text = suite("drain = \"50ms\"", "use = \"sleep\"\nwait = \"100ms\"\n");
  EXPECT_EQ(parse_suite(text, "w.toml", SuiteUse::read).drain, 50ms);
}

TEST(SuiteWindows, ByDefaultAreAsLongAsTheWorkAndCanBeReadBack) {
  const Plan plan = parse_suite(suite("", "use = \"sleep\"\nwait = \"3s\"\n"), "w.toml");
  EXPECT_GE(plan.window, 3s);
  EXPECT_GE(plan.coarse_window, 3s);
  EXPECT_GE(plan.drain, 3s);
  EXPECT_EQ(plan_hash(parse_suite(to_toml(plan), "again.toml")), plan_hash(plan));
}

TEST(Windows, DrainForTheLongestRequestAndCloseOnTenOfThem) {
  const Spec loop{"event_loop", {}};
  const Spec fixed{"sleep", {{"wait", "100ms"}}};
  const Spec drawn{"sleep", {{"wait", "100ms"}, {"dist", "exponential"}}};
  EXPECT_EQ(longest_service(loop, fixed), 100ms);
  EXPECT_GT(longest_service(loop, drawn), 800ms);  // ln 8192 = 9.0 means
  EXPECT_LT(longest_service(loop, drawn), 950ms);
  EXPECT_EQ(resolve_drain(10ms, loop, fixed), 200ms);
  EXPECT_EQ(resolve_drain(1s, loop, fixed), 1s);
  EXPECT_EQ(resolve_window(50ms, 100e6), 1s);
  EXPECT_EQ(resolve_window(2s, 100e6), 2s);
}

TEST(Windows, HoldTheRequestsThatAPlanWants) {
  Plan plan;
  plan.window = 300ms;
  EXPECT_EQ(cell_window(plan, 1e6, 10e6, 1), 300ms);
  plan.requests = 750;
  EXPECT_EQ(cell_window(plan, 1e6, 10e6, 1), 750ms);
  EXPECT_EQ(cell_window(plan, 1e6, 10e6, 2), 375ms);
  EXPECT_EQ(cell_window(plan, 1e6, 10e6, 8), 300ms);
  EXPECT_EQ(cell_window(plan, 1e6, 40e6, 0), 820ms);    // 20 SLOs and a little
  EXPECT_EQ(cell_window(plan, 10e6, 10e6, 1), 1200ms);  // four windows at the most
}

TEST(Ideal, OfMoreRequestsThanATrialHoldsIsThatOfItsQueueAlone) {
  // 64 million requests a second for 1.3 s: no trial holds them.
  Plan plan;
  std::vector<int> cpus;
  for (int cpu = 0; cpu < 64; ++cpu) cpus.push_back(cpu);
  plan.model_cpus = CpuSet(std::move(cpus));
  CellSummary cell;
  cell.model = Spec{"event_loop", {}};
  cell.workload = Spec{"cpu", {{"work", "1us"}}};
  cell.service_time_ns = 1e3;
  cell.slo_ns = 10e3;
  EXPECT_FALSE(ideal_of(plan, cell));  // nothing was measured
  cell.evidence.resize(1);
  cell.evidence.front().valid = true;
  const auto ideal = ideal_of(plan, cell);
  ASSERT_TRUE(ideal);
  EXPECT_DOUBLE_EQ(ideal->saturation_per_s, 64e6);
  EXPECT_GT(ideal->cliff_per_s, 0.9 * 64e6);
}

}  // namespace
}  // namespace precipice
