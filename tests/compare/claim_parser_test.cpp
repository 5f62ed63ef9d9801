#include "harness/compare/claim_parser.hpp"

#include <gtest/gtest.h>

#include <string>

#include "harness/capacity/point.hpp"
#include "harness/compare/claim_verdict.hpp"
#include "harness/trial/spec.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

std::string complaint(const std::string& claim) {
  try {
    parse_claim(claim);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(ClaimParser, TakesTheExampleOfTheManualApart) {
  const ClaimRelation claim =
      parse_claim("saturation(io_uring, sleep) > 1.10 * saturation(fixed_pool.threads=64, sleep)");
  EXPECT_EQ(claim.kind, ClaimRelation::Kind::above);
  const ClaimNode& left = claim.nodes.at(claim.left);
  EXPECT_EQ(left.kind, ClaimNode::Kind::call);
  EXPECT_EQ(left.figure, Figure::saturation);
  EXPECT_EQ(left.series.to_string(), "io_uring");
  const ClaimNode& right = claim.nodes.at(claim.right);
  EXPECT_EQ(right.kind, ClaimNode::Kind::multiply);
  EXPECT_DOUBLE_EQ(claim.nodes.at(right.left).value, 1.10);
  EXPECT_EQ(claim.nodes.at(right.right).series.to_string(), "fixed_pool:threads=64");
  EXPECT_EQ(claim.nodes.at(right.right).workload.to_string(), "sleep");
}

TEST(ClaimParser, KeepsSettingsAndParenthesesOfANameTogether) {
  const ClaimRelation claim = parse_claim(
      "p99(fixed_pool:threads=8,queue=mutex, cpu.work=1ms,dist=bimodal(0.9,1,40), 80%) < 5ms");
  const ClaimNode& call = claim.nodes.at(claim.left);
  EXPECT_EQ(call.series.to_string(), "fixed_pool:queue=mutex,threads=8");
  EXPECT_EQ(call.workload.to_string(), "cpu:dist=bimodal(0.9,1,40),work=1ms");
  ASSERT_TRUE(call.load);
  EXPECT_TRUE(call.load->share);
  EXPECT_DOUBLE_EQ(call.load->value, 0.8);
  const ClaimRelation at_rate = parse_claim("mean(inline, cpu, 1.2k/s) < 5ms");
  EXPECT_FALSE(at_rate.nodes.at(at_rate.left).load->share);
  EXPECT_DOUBLE_EQ(at_rate.nodes.at(at_rate.left).load->value, 1200);
}

TEST(ClaimParser, TakesTheClassOfRequestsLast) {
  const auto call = [](const std::string& text) {
    const ClaimRelation claim = parse_claim(text);
    return claim.nodes.at(claim.left);
  };
  EXPECT_EQ(call("p99(oracle, empty, 0.8, live) < 5ms").of_class, "live");
  EXPECT_EQ(call("p99(oracle, empty, 0.8) < 5ms").of_class, "");
  EXPECT_EQ(call("loss(oracle|queue, empty, 300/s, batch-2) < 5%").of_class, "batch-2");
  const ClaimNode cliff = call("cliff(oracle:servers=2,mean=1ms, empty, live) > 5/s");
  EXPECT_EQ(cliff.of_class, "live");
  EXPECT_EQ(cliff.series.to_string(), "oracle:mean=1ms,servers=2");
  EXPECT_EQ(call("slo(oracle, empty, live) > 5ms").dimension, 1);
  EXPECT_EQ(call("goodput(oracle, empty, 300/s) > 5/s").dimension, -1);
  EXPECT_EQ(call("loss(oracle, empty, 300/s) > 5%").dimension, 0);
}

TEST(ClaimParser, ComputesNumbersWithUnitsAndPrecedence) {
  const auto number = [](const std::string& text) {
    const ClaimRelation claim = parse_claim(
        "slo(inline, cpu) * slo(inline, cpu) / slo(inline, cpu)"
        " / 1s < " +
        text);
    return claim.nodes.at(claim.right).value;
  };
  EXPECT_DOUBLE_EQ(number("1 + 2 * 3 - 8 / 4"), 5);
  EXPECT_DOUBLE_EQ(number("-(1 + 2) * -2"), 6);
  EXPECT_DOUBLE_EQ(number("8 / 5ms / 1/s"), 1600);
}

TEST(ClaimParser, LittlesLawHasTheRightDimension) {
  const ClaimRelation claim = parse_claim("saturation(inline, sleep) within 10% of 8 / 5ms");
  EXPECT_EQ(claim.kind, ClaimRelation::Kind::within);
  EXPECT_TRUE(claim.relative_tolerance);
  EXPECT_DOUBLE_EQ(claim.tolerance, 0.1);
  EXPECT_DOUBLE_EQ(claim.nodes.at(claim.right).value, 1600);
  EXPECT_EQ(complaint("saturation(inline, sleep) * slo(inline, sleep) > 8"), "");
  EXPECT_EQ(complaint("knee(inline, cpu) > 500"), "") << "a plain number beside a rate";
}

TEST(ClaimParser, NamesTheColumnAndTheCure) {
  const struct {
    const char* claim;
    const char* column;
    const char* cure;
  } wrong[] = {
      {"", "at 1:", "number or a figure"},
      {"saturatoin(a, b) > 1", "at 1:", "did you mean 'saturation'"},
      {"saturation(a) > 1", "at 11:", "saturation(SERIES, WORKLOAD)"},
      {"p99(a, b) > 1ms", "at 4:", "LOAD"},
      {"p99(a, b, fast) > 1ms", "at 11:", "share"},
      {"p99(a, b, 5ms) > 1ms", "at 11:", "rate"},
      {"saturation(a, b > 1", "at 20:", "never closed"},
      {"saturation > 1", "at 12:", "saturation(SERIES"},
      {"saturation(a, b)", "at 17:", "relation"},
      {"saturation(a, b) > 1 > 2", "at 22:", "second claim"},
      {"saturation(a, b) > 5ms", "at 18:", "a rate and a time"},
      {"slo(a, b) + 1 > 5ms", "at 11:", "adds a time and a plain number"},
      {"saturation(a, b) > 5 parsecs", "at 22:", "operator"},
      {"saturation(a, b, live) > 1", "at 11:", "2 arguments"},
      {"goodput(a, b, 0.5, live) > 1", "at 8:", "3 arguments"},
      {"goodput(a, b) > 1", "at 8:", "LOAD"},
      {"cliff(a, b, 0.8) > 1", "at 13:", "[, CLASS]"},
      {"p99(a, b, live) > 1s", "at 11:", "no load"},
      {"p99(a, b, 0.8, ) > 1s", "at 16:", "class"},
      {"p99(a, b, 0.8, live, 1) > 1s", "at 4:", "3 or 4 arguments"},
      {"saturation(a, b) > 5parsecs", "at 21:", "no unit"},
      {"saturation(a, b) > 1 / 0", "at 22:", "zero"},
      {"saturation(a, b) within 500", "at 28:", "'of'"},
      {"saturation(a, b) within 0% of 500", "at 25:", "above 0"},
      {"500 within 1% of saturation(a, b)", "at 5:", "behind 'of'"},
      {"1 < 2", "at 1:", "figure"},
      {"(saturation(a, b) > 1", "at 19:", "parenthesis of 1"},
      {"saturation(a, b) > 1e999", "at 20:", "not a number"},
      {"saturation(fixed_pool.threads, b) > 1", "at 12:", "key=value"},
      {"saturation(a, b) \xe2\x89\xa5 1", "at 18:", "ASCII"},
  };
  for (const auto& [claim, column, cure] : wrong) {
    const std::string message = complaint(claim);
    EXPECT_TRUE(message.starts_with(column)) << claim << "\n" << message;
    EXPECT_NE(message.find(cure), std::string::npos) << claim << "\n" << message;
  }
}

TEST(ClaimParser, StaysBoundedWhateverItReads) {
  EXPECT_NE(complaint(std::string(kLongestClaim + 1, ' ')).find("at most"), std::string::npos);
  EXPECT_NE(complaint(std::string(1900, '(')).find("deep"), std::string::npos);
  EXPECT_NE(complaint(std::string(1900, '-')).find("deep"), std::string::npos);
  std::string many = "saturation(a, b) > 1";
  while (many.size() < kLongestClaim - 2) many += "+1";
  EXPECT_EQ(complaint(many), "");
  Random random(7);
  const std::string letters = "saturtion(,)<>=+-*/ 0.1k%m/swithof:";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint64_t n = random.below(40); n > 0; --n)
      text += letters[random.below(letters.size())];
    complaint(text);  // throws nothing but UsageError
  }
}

}  // namespace
}  // namespace precipice
