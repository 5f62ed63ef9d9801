#include "harness/capacity/advice_plan.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "harness/trial/spec.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

/// 0.3 ms of computing and 4 ms of waiting, 600 times a second.
AdviceQuestion service() {
  AdviceQuestion question;
  question.work.mean = 300us;
  question.wait.mean = 4ms;
  question.rate_per_s = 600;
  question.slo = parse_slo("p99<25ms");
  return question;
}

std::vector<std::string> series(const Plan& plan) {
  std::vector<std::string> names;
  for (const Spec& model : plan.models) names.push_back(model.to_string());
  return names;
}

TEST(VaryingTime, ReadsAMeanOrADistributionWithItsMeanLast) {
  const auto read = [](const char* text) {
    const VaryingTime time = parse_varying_time(text, "--wait");
    return std::pair(time.dist, time.mean);
  };
  using Read = std::pair<std::string, Nanos>;
  EXPECT_EQ(read("4ms"), Read("fixed", 4ms));
  EXPECT_EQ(read("fixed(4ms)"), Read("fixed", 4ms));
  EXPECT_EQ(read("exponential( 4ms )"), Read("exponential", 4ms));
  EXPECT_EQ(read("lognormal(0.5,4ms)"), Read("lognormal(0.5)", 4ms));
  EXPECT_EQ(read("pareto(2.5, 300us)"), Read("pareto(2.5)", 300us));
  EXPECT_EQ(read("bimodal(0.9,1ms,31ms)"), Read("bimodal(0.9,1ms,31ms)", 4ms));
  for (const char* wrong : {"", "4", "exponential", "exponential()", "exponential(4)", "(4ms)",
                            "lognormal(4ms)", "bimodal(0.9,1,31)", "bimodal(4ms)", "gamma(2,4ms)"})
    EXPECT_THROW(read(wrong), UsageError) << wrong;
}

TEST(AdvicePlan, BeginsAtLittlesLawAndDoublesUntilTheCpusAreTheLimit) {
  const AdviceQuestion question = service();
  EXPECT_NEAR(busy_at_rate(question), 2.58, 1e-9);
  // 12 threads carry 12 / 4.3 ms = 2790/s, more than twice the highest measured rate.
  EXPECT_EQ(pool_sizes(question, 1), (std::vector<std::uint64_t>{3, 6, 12}));

  AdviceQuestion computing = question;
  computing.wait.mean = Nanos(0);
  EXPECT_EQ(pool_sizes(computing, 1), (std::vector<std::uint64_t>{1}));
  computing.rate_per_s = 5000;  // 1.5 CPUs' worth: more threads than CPUs carry nothing more
  EXPECT_EQ(pool_sizes(computing, 1), (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(pool_sizes(computing, 4), (std::vector<std::uint64_t>{2, 4}));

  AdviceQuestion waiting = question;
  waiting.work.mean = Nanos(0);
  waiting.waits = 3;
  EXPECT_EQ(pool_sizes(waiting, 1), (std::vector<std::uint64_t>{8, 16, 32}));
}

TEST(AdvicePlan, MeasuresTodaysModelAndThoseThatCouldReplaceIt) {
  AdviceQuestion question = service();
  question.models = {parse_model("fixed_pool:threads=200"), parse_model("event_loop")};
  const Plan plan = plan_advice(question, 1);
  EXPECT_EQ(series(plan),
            (std::vector<std::string>{"fixed_pool:threads=200", "event_loop", "io_uring",
                                      "work_stealing", "fixed_pool:threads=3",
                                      "fixed_pool:threads=6", "fixed_pool:threads=12"}));
  ASSERT_EQ(plan.workloads.size(), 1U);
  EXPECT_EQ(plan.workloads[0].to_string(), "mixed:wait=4ms,work=300us");
  EXPECT_EQ(plan.rates, (std::vector<double>{600, 900, 1200}));
  EXPECT_EQ(plan.budget, Nanos(90s));
  EXPECT_GE(plan.window, Nanos(20 * 25ms));  // shorter windows give a cliff no interval
  EXPECT_GE(plan.blocks, 2);

  question.wait = parse_varying_time("exponential(4ms)", "--wait");
  question.waits = 2;
  EXPECT_EQ(plan_advice(question, 1).workloads[0].to_string(),
            "mixed:wait=4ms,wait_dist=exponential,waits=2,work=300us");
  question.wait = {};
  EXPECT_EQ(plan_advice(question, 1).workloads[0].to_string(), "cpu:work=300us");
}

TEST(AdvicePlan, OnTheVirtualClockPoolsAreQueues) {
  AdviceQuestion question = service();
  question.clock = ClockKind::virtual_time;
  question.work = {};
  question.wait = parse_varying_time("exponential(5ms)", "--wait");
  EXPECT_EQ(series(plan_advice(question, 1)),
            (std::vector<std::string>{"oracle:mean=5ms,servers=4,service=exponential",
                                      "oracle:mean=5ms,servers=8,service=exponential",
                                      "oracle:mean=5ms,servers=16,service=exponential"}));
  question.work.mean = 1ms;  // the sum of a fixed and an exponential time is no oracle's service
  EXPECT_THROW(plan_advice(question, 1), UsageError);
  question.work = question.wait = {};
  EXPECT_THROW(plan_advice(question, 1), UsageError);
  question.models = {parse_model("oracle:mean=1ms,servers=2")};
  EXPECT_EQ(series(plan_advice(question, 1)),
            std::vector<std::string>{"oracle:mean=1ms,servers=2"});
  question.models.push_back(parse_model("event_loop"));
  EXPECT_THROW(plan_advice(question, 1), UsageError);
}

TEST(AdvicePlan, OfWorkThatIsNothingOnlyASimulationHasModels) {
  AdviceQuestion question = service();
  question.work = question.wait = {};
  EXPECT_THROW(plan_advice(question, 1), UsageError);
}

TEST(AdvicePlan, PoolsHaveASizeAndLoopsHaveNone) {
  EXPECT_EQ(pool_size(parse_model("fixed_pool")), 64U);
  EXPECT_EQ(pool_size(parse_model("oracle:servers=3")), 3U);
  EXPECT_EQ(pool_size(parse_model("oracle:servers=3,discipline=ps")), std::nullopt);
  EXPECT_EQ(pool_size(parse_model("event_loop")), std::nullopt);
}

}  // namespace
}  // namespace precipice
