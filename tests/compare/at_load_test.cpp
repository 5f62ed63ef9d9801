#include "harness/compare/at_load.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace precipice {
namespace {

// The mean response of M/M/1 with a service of 1 s and 1/s, and an overload.
const std::vector<MeasuredAt> kQueue = {{.rate_per_s = 0.5, .value = 2},
                                        {.rate_per_s = 0.8, .value = 5},
                                        {.rate_per_s = 1.2, .value = 40, .overload = true}};

TEST(AtLoad, AMeasuredRateAnswersForItself) {
  const ValueAt at = response_at(kQueue, 0.801);
  EXPECT_EQ(at.value, 5);
  EXPECT_EQ(at.low, 5);
  EXPECT_EQ(at.high, 5);
}

TEST(AtLoad, BetweenTwoRatesTheIntervalHoldsTheClosedForm) {
  const ValueAt at = response_at(kQueue, 0.65);
  constexpr double kRounding = 1e-9;  // the reciprocal is exact for M/M/1: it is one end
  EXPECT_LE(at.low, 1 / (1 - 0.65) + kRounding);
  EXPECT_GE(at.high, 1 / (1 - 0.65));
  EXPECT_GT(at.low, 2);
  EXPECT_LT(at.high, 5);
}

TEST(AtLoad, AnOverloadIsALowerBoundAndSoIsTheRateBelowIt) {
  EXPECT_EQ(response_at(kQueue, 1.2).value, 40);
  EXPECT_TRUE(std::isinf(response_at(kQueue, 1.2).high));
  EXPECT_EQ(response_at(kQueue, 0.9).value, 5);
  EXPECT_TRUE(std::isinf(response_at(kQueue, 0.9).high));
}

TEST(AtLoad, WhereRequestsAreLostARateAnswersForItselfAlone) {
  const std::vector<MeasuredAt> limited = {{.rate_per_s = 0.8, .value = 2},
                                           {.rate_per_s = 1.2, .value = 3, .lossy = true},
                                           {.rate_per_s = 1.6, .value = 3, .lossy = true}};
  EXPECT_EQ(response_at(limited, 1.2).high, 3);
  EXPECT_TRUE(std::isinf(response_at(limited, 1.0).high));
  EXPECT_EQ(response_at(limited, 1.0).value, 2);
  EXPECT_TRUE(std::isinf(response_at(limited, 1.7).high));
}

TEST(AtLoad, SaysWhatWasNotMeasured) {
  EXPECT_NE(response_at(kQueue, 0.1).missing.find("lowest"), std::string::npos);
  EXPECT_NE(response_at(kQueue, 9).missing.find("highest"), std::string::npos);
  EXPECT_NE(response_at({}, 1).missing, "");
  EXPECT_NE(share_at({}, 1).missing, "");
  EXPECT_NE(share_at(kQueue, 0.4).missing.find("lowest"), std::string::npos);
  EXPECT_NE(share_at(kQueue, 1.3).missing.find("highest"), std::string::npos);
  const std::vector<MeasuredAt> far = {{.rate_per_s = 1, .value = 1},
                                       {.rate_per_s = 4, .value = 2}};
  EXPECT_NE(response_at(far, 2).missing.find("between"), std::string::npos);
  EXPECT_NE(share_at(far, 2).missing.find("between"), std::string::npos);
}

TEST(AtLoad, AShareBetweenTwoRatesMayBeAnythingBetweenTheirs) {
  const std::vector<MeasuredAt> losses = {{.rate_per_s = 1, .value = 0},
                                          {.rate_per_s = 2, .value = 0.4}};
  const ValueAt at = share_at(losses, 1.5);
  EXPECT_DOUBLE_EQ(at.value, 0.2);
  EXPECT_DOUBLE_EQ(at.low, 0);
  EXPECT_DOUBLE_EQ(at.high, 0.4);
  EXPECT_DOUBLE_EQ(share_at(losses, 2).low, 0.4);
}

}  // namespace
}  // namespace precipice
