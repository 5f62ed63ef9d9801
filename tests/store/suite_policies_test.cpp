// [[policy]] of a suite: chains, axes, series, and what is refused.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/compare/cell_lookup.hpp"
#include "harness/store/suite.hpp"
#include "harness/trial/policy_chain.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

constexpr const char* kHead = R"(schema = 1
name = "p"
slo = "p99 < 25ms"
)";
constexpr const char* kPolicies = R"(
[[policy]]
name = "batched"
chain = "batch"
linger = "2ms"
size = [4, 16]
[[policy]]
name = "hedged"
chain = ["limit:limit=500", "hedge:after=10ms,budget=10%"]
)";
constexpr const char* kCells = R"(
[[model]]
use = "event_loop"
policy = ["none", "batched", "hedged"]
[[workload]]
use = "sleep"
)";

Plan parse(const std::string& text) { return parse_suite(text, "p.toml"); }
std::string complaint(const std::string& text) {
  try {
    parse(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(SuitePolicies, MakeASeriesOfEachChain) {
  const Plan plan = parse(std::string(kHead) + kPolicies + kCells);
  std::vector<std::string> series;
  for (const Spec& model : plan.models) series.push_back(model.to_string());
  EXPECT_EQ(series, (std::vector<std::string>{"event_loop", "event_loop|batched:size=16",
                                              "event_loop|batched:size=4", "event_loop|hedged"}));
  EXPECT_EQ(to_string(plan.policies_of(plan.models[0])), "");
  EXPECT_EQ(to_string(plan.policies_of(plan.models[2])), "batch:linger=2ms,size=4");
  EXPECT_EQ(to_string(plan.policies_of(plan.models[3])),
            "limit:limit=500|hedge:after=10ms,budget=10%");
}

TEST(SuitePolicies, AreWrittenAndReadBack) {
  const Plan plan = parse(std::string(kHead) + "price_per_cpu_hour = 0.04\n" + kPolicies + kCells);
  const std::string text = to_toml(plan);
  const Plan again = parse(text);
  EXPECT_EQ(to_toml(again), text);
  EXPECT_EQ(again.price_per_cpu_hour, 0.04);
  ASSERT_EQ(again.models.size(), plan.models.size());
  for (std::size_t i = 0; i < plan.models.size(); ++i) {
    EXPECT_EQ(again.models[i].to_string(), plan.models[i].to_string());
    EXPECT_EQ(to_string(again.policies_of(again.models[i])),
              to_string(plan.policies_of(plan.models[i])));
  }
}

TEST(SuitePolicies, AreNamedByClaims) {
  const Plan plan = parse(std::string(kHead) + kPolicies + kCells);
  const auto cells = cells_of(plan);
  const Spec sleep{"sleep", {}};
  const auto named = [&](const std::string& series) {
    return cells[resolve_cell(parse_series(series, "series"), sleep, cells)].model.to_string();
  };
  EXPECT_EQ(named("event_loop"), "event_loop");
  EXPECT_EQ(named("event_loop|hedged"), "event_loop|hedged");
  EXPECT_EQ(named("event_loop|batched:size=4"), "event_loop|batched:size=4");
  EXPECT_THROW(named("event_loop|batched"), UsageError);  // two of them
  EXPECT_THROW(named("event_loop|lost"), UsageError);
}

TEST(SuitePolicies, WantAStatedSloThatTheyCanMeet) {
  const std::string without = "schema = 1\nname = \"p\"\n";
  EXPECT_NE(complaint(without + kPolicies + kCells).find("states its SLO"), std::string::npos);
  const std::string tight = "schema = 1\nname = \"p\"\nslo = \"p99 < 2ms\"\n";
  EXPECT_NE(complaint(tight + kPolicies + kCells).find("linger"), std::string::npos);
}

TEST(SuitePolicies, AreRefusedWithLineAndCure) {
  const auto of = [&](const std::string& policy) {
    return complaint(std::string(kHead) + "[[policy]]\n" + policy + kCells);
  };
  EXPECT_NE(of("chain = \"hedge\"").find("policy.name"), std::string::npos);
  EXPECT_NE(of("name = \"none\"\nchain = \"hedge\"").find("none is the model"), std::string::npos);
  EXPECT_NE(of("name = \"x\"").find("policy.chain"), std::string::npos);
  EXPECT_NE(of("name = \"x\"\nchain = \"hege\"").find("did you mean 'hedge'"), std::string::npos);
  EXPECT_NE(
      of("name = \"x\"\nchain = [\"limit\", \"hedge\"]\nafter = \"1ms\"").find("one of several"),
      std::string::npos);
  EXPECT_NE(complaint(std::string(kHead) + kPolicies +
                      "[[model]]\nuse = \"io_uring\"\npolicy = \"hedge\"\n[[workload]]\nuse = "
                      "\"sleep\"\n")
                .find("did you mean 'hedged'"),
            std::string::npos);
}

TEST(SuiteClasses, AreReadAndAddUpToOne) {
  const std::string cells = "[[model]]\nuse = \"event_loop\"\n[[workload]]\nuse = \"sleep\"\n";
  const auto classes = [](const std::string& second) {
    return "[[class]]\nname = \"live\"\nshare = 0.9\nslo = \"p99 < 10ms\"\n[[class]]\nname = "
           "\"batch\"\nshare = " +
           second + "\n";
  };
  const Plan plan = parse(kHead + classes("0.1") + cells);
  ASSERT_EQ(plan.classes.size(), 2U);
  EXPECT_EQ(plan.classes[0].name, "live");
  EXPECT_EQ(plan.classes[0].slo, std::chrono::milliseconds(10));
  EXPECT_EQ(plan.classes[1].slo, Nanos(0));
  EXPECT_EQ(to_toml(parse(to_toml(plan))), to_toml(plan));
  EXPECT_NE(complaint(kHead + classes("0.2") + cells).find("add up to 1.1"), std::string::npos);
  EXPECT_NE(complaint(kHead + classes("0") + cells).find("class.share"), std::string::npos);
}

TEST(SuiteTrigger, ActsAtRatesOfTheSuite) {
  const std::string cells = "[[model]]\nuse = \"oracle\"\n[[workload]]\nuse = \"empty\"\n";
  const std::string load =
      "[load]\nclock = \"virtual\"\nwindow = \"5s\"\ntrigger = \"stall 1s at 2s\"\n";
  const Plan plan = parse(std::string(kHead) + "rates = [500]\n" + load + cells);
  ASSERT_TRUE(plan.trigger.has_value());
  EXPECT_EQ(parse(to_toml(plan)).trigger->to_string(), plan.trigger->to_string());
  EXPECT_NE(complaint(kHead + load + cells).find("rates"), std::string::npos);
  EXPECT_NE(complaint(std::string(kHead) + "rates = [5]\n[load]\ntrigger = \"stall 1s at 20m\"\n"
                                           "[[model]]\nuse = \"io_uring\"\n[[workload]]\nuse = "
                                           "\"sleep\"\n")
                .find("after the window"),
            std::string::npos);
}

}  // namespace
}  // namespace precipice
