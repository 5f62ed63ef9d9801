// Questions whose answers are known from queueing theory, asked of simulated queues.
#include "harness/compare/advice.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/capacity/advice_plan.hpp"
#include "harness/capacity/campaign.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "harness/trial/spec.hpp"
#include "tests/coverage/queue_theory.hpp"
#include "tests/support/memory_host.hpp"

namespace precipice {
namespace {

// The sanitizer builds are slow: every fifth question there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kStep = 5;
#else
constexpr std::size_t kStep = 1;
#endif

Advice asked(const AdviceQuestion& question, const std::function<void(Trial&)>& spoil = {}) {
  Plan plan = plan_advice(question, 1);
  plan.virtual_requests = 20'000;
  plan.blocks = 5;
  testing::MemoryHost host;
  host.spoil = spoil;
  return advise(question, run_campaign(plan, host));
}

struct Candidate {
  std::string model;
  coverage::QueueTruth truth;  ///< in units of 1 ms
};

/// A question about requests of 1 ms on average.
struct Known {
  std::string name;
  std::vector<Candidate> candidates;
  double rate_per_s, bound_ms;
};

Candidate exponential(int servers) {
  return {"oracle:mean=1ms,service=exponential,servers=" + std::to_string(servers),
          coverage::mmc(servers)};
}
Candidate fixed() { return {"oracle:mean=1ms,service=fixed", coverage::mg1({{1, 1}}, 1)}; }
Candidate split(int servers) {
  return {"oracle:mean=1ms,service=exponential,discipline=random_split,servers=" +
              std::to_string(servers),
          coverage::random_split(servers)};
}
Candidate sharing() {
  return {"oracle:mean=1ms,service=exponential,discipline=ps", coverage::mm1_sharing()};
}
Candidate bimodal() {
  return {"oracle:mean=1ms,service=bimodal(0.9,0.5,5.5)",
          coverage::mg1({{0.9, 0.5}, {0.1, 5.5}}, 0.5)};
}
/// M/M/1 with room for so many.
Candidate limited(int room) {
  return {"oracle:mean=1ms,service=exponential,queue=" + std::to_string(room),
          coverage::mm1k(room)};
}

const std::vector<Known>& questions() {
  static const std::vector<Known> all = {
      {"one server in time", {exponential(1), exponential(2)}, 400, 10},
      {"one server late", {exponential(1), exponential(2)}, 650, 10},
      {"fixed service bears more", {exponential(1), fixed()}, 700, 10},
      {"a tight bound", {exponential(1), exponential(2), exponential(3)}, 500, 6},
      {"three servers are enough", {exponential(2), exponential(3), exponential(4)}, 2300, 10},
      {"four servers are needed", {exponential(2), exponential(3), exponential(4)}, 3000, 10},
      {"none is enough", {exponential(1), exponential(2)}, 2500, 10},
      {"eight by doubling", {exponential(2), exponential(4), exponential(8)}, 5000, 8},
      {"one queue against two", {split(2), exponential(2)}, 1300, 10},
      {"four queues", {split(4), exponential(4)}, 1800, 10},
      {"four queues are late", {split(4), exponential(4)}, 2600, 10},
      {"sharing one server", {sharing(), exponential(1)}, 450, 12},
      {"a few long requests", {bimodal(), exponential(1)}, 300, 20},
      {"long requests break it", {bimodal(), exponential(1)}, 700, 20},
      {"light load", {exponential(1), fixed()}, 100, 10},
      {"a bound just above the service", {exponential(1), exponential(4)}, 200, 5.2},
      {"a wide bound", {exponential(1), exponential(2)}, 850, 50},
      {"room for few", {limited(8), exponential(1)}, 350, 12},
      {"sixteen", {exponential(8), exponential(16)}, 9000, 10},
      {"fixed service is late too", {fixed(), exponential(2)}, 980, 10},
  };
  return all;
}

double truth_of(const Known& known, const Candidate& candidate) {
  return 1000 * coverage::true_cliff(candidate.truth, known.bound_ms);
}

/// What is wrong with the answer, or "".
std::string wrong_with(const Known& known, std::uint64_t seed) {
  AdviceQuestion question;
  question.clock = ClockKind::virtual_time;
  question.rate_per_s = known.rate_per_s;
  question.slo = parse_slo("p99<" + std::to_string(known.bound_ms) + "ms");
  question.seed = seed;
  for (const Candidate& each : known.candidates) question.models.push_back(parse_model(each.model));
  const Advice advice = asked(question);

  std::string wrong;
  const Candidate* best = nullptr;
  std::optional<std::uint64_t> smallest;
  for (std::size_t i = 0; i < known.candidates.size(); ++i) {
    const Candidate& each = known.candidates[i];
    const double cliff = truth_of(known, each);
    if (best == nullptr || cliff > truth_of(known, *best)) best = &each;
    const bool meets = cliff >= known.rate_per_s;
    const auto size = pool_size(question.models[i]);
    if (meets && size && (!smallest || *size < *smallest)) smallest = size;
    const auto found =
        std::find_if(advice.models.begin(), advice.models.end(), [&](const AdviceOfModel& model) {
          return model.model.to_string() == question.models[i].to_string();
        });
    if (found == advice.models.end() || found->meets != meets) wrong += " meets of " + each.model;
    if (i == 0 && (!advice.today || &advice.models[*advice.today] != &*found)) wrong += " today";
  }
  if (!advice.most ||
      advice.models[*advice.most].model.to_string() != parse_model(best->model).to_string() ||
      !advice.alike.empty())
    wrong += " most";
  if (advice.threads != smallest) wrong += " threads";
  return wrong;
}

TEST(Advice, Answers19Of20QuestionsAsQueueingTheoryDoes) {
  std::vector<std::string> wrong;
  ASSERT_EQ(questions().size(), 20U);
  for (std::size_t i = 0; i < questions().size(); i += kStep) {
    const std::string what = wrong_with(questions()[i], 1);
    if (!what.empty()) wrong.push_back(questions()[i].name + ":" + what);
  }
  EXPECT_LE(wrong.size(), 1U) << ::testing::PrintToString(wrong);
}

AdviceQuestion two_servers() {
  AdviceQuestion question;
  question.clock = ClockKind::virtual_time;
  question.rate_per_s = 650;
  question.slo = parse_slo("p99<10ms");
  question.models = {parse_model("oracle:mean=1ms,service=exponential"),
                     parse_model("oracle:mean=1ms,service=exponential,servers=2")};
  return question;
}

TEST(Advice, SaysWhatEachModelDoesAtEachRate) {
  const Advice advice = asked(two_servers());
  ASSERT_EQ(advice.models.size(), 2U);
  ASSERT_EQ(advice.today, 1U);  // the second by its cliff
  const AdviceOfModel& today = advice.models[1];
  // The p99 of M/M/1 is ln(100) / (1 - load) in units of the service time.
  ASSERT_EQ(today.at.size(), 3U);
  EXPECT_NEAR(today.at[0].percentile_ns.value, 4.605e6 / 0.35, 0.1 * 4.605e6 / 0.35);
  EXPECT_LT(today.at[0].percentile_ns.low, 4.605e6 / 0.35);
  EXPECT_GT(today.at[0].percentile_ns.high, 4.605e6 / 0.35);
  EXPECT_NEAR(today.at[0].goodput_per_s.value, 650, 15);
  EXPECT_EQ(today.at[2].rate_per_s, 1300);  // past its saturation
  EXPECT_EQ(today.at[2].meets, false);
  EXPECT_EQ(today.at[2].percentile_ns.reached, Reached::above);
  EXPECT_NEAR(today.headroom.value, today.cliff_per_s.value / 650, 1e-9);
  EXPECT_EQ(advice.threads, 2U);
  ASSERT_EQ(advice.against, 1U);
  EXPECT_GT(advice.gain.low, 1);
  const double truth =
      coverage::true_cliff(coverage::mmc(2), 10) / coverage::true_cliff(coverage::mmc(1), 10);
  EXPECT_LT(advice.gain.low, truth);
  EXPECT_GT(advice.gain.high, truth);
}

TEST(Advice, InvalidTrialsAreShownAndDecideNothing) {
  const Advice advice = asked(two_servers(), [](Trial& trial) {
    trial.valid = false;
    trial.invalid_reasons.push_back({Cause::host, TrialGate::steal, "stolen"});
  });
  EXPECT_FALSE(advice.nothing_valid.empty());
  EXPECT_NE(advice.nothing_valid.find("host"), std::string::npos) << advice.nothing_valid;
  for (const AdviceOfModel& model : advice.models) {
    EXPECT_EQ(model.meets, std::nullopt);
    for (const AdviceAtRate& at : model.at) EXPECT_FALSE(at.valid);
  }
  EXPECT_EQ(advice.threads, std::nullopt);
}

TEST(Advice, EqualModelsAreAlike) {
  AdviceQuestion question = two_servers();
  question.models = {parse_model("oracle:mean=1ms,service=exponential"),
                     parse_model("oracle:mean=1ms,service=exponential,stall_for=0s")};
  const Advice advice = asked(question);
  EXPECT_EQ(advice.alike.size(), 1U);
  EXPECT_FALSE(advice.gain.low > 1);
}

}  // namespace
}  // namespace precipice
