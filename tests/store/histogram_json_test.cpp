#include "harness/store/histogram_json.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>

#include "harness/stats/histogram.hpp"

namespace precipice {
namespace {

TEST(HistogramJson, CoarseSlicesStayWithinThreePercent) {
  Histogram fine;
  fine.record(1'234'567);
  const auto coarse = coarsened(fine);
  EXPECT_NEAR(static_cast<double>(coarse.max()), 1'234'567, 0.035 * 1'234'567);
}

}  // namespace
}  // namespace precipice
