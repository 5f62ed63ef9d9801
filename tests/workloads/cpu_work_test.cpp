#include "workloads/cpu_work.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <set>
#include <vector>

#include "tests/support/plain_io.hpp"

namespace precipice {
namespace {

using testing::make_workload;
using testing::PlainIo;
using testing::run_request;

constexpr const char* kShapes[] = {"fixed",
                                   "exponential",
                                   "lognormal(0.5)",
                                   "lognormal(3)",
                                   "bimodal(0.9,1,100)",
                                   "bimodal(0.5,1,10)",
                                   "bimodal(0.99,100us,10ms)",
                                   "pareto(1.5)",
                                   "pareto(2.5)"};

TEST(CpuWork, JumpsToWhereTheChainWalks) {
  for (const std::uint64_t n : {0U, 1U, 2U, 3U, 1000U, 65'537U}) {
    EXPECT_EQ(jump_chain(42, n), run_chain(42, n)) << n;
    EXPECT_EQ(run_chain(rewind_chain(99, n), n), 99U) << n;
  }
}

TEST(CpuWork, AnIterationMoreOrLessIsSeen) {
  const std::uint64_t start = rewind_chain(7, 1000);
  EXPECT_EQ(run_chain(start, 1000), 7U);
  EXPECT_NE(run_chain(start, 999), 7U);
  EXPECT_NE(run_chain(start, 1001), 7U);
}

class Calibrated : public ::testing::Test {
 protected:
  void TearDown() override { set_cpu_iterations_per_us(measured_); }
  double measured_ = cpu_iterations_per_us();
};

TEST_F(Calibrated, IsMeasuredOnceAndCanBeFixed) {
  EXPECT_GT(measured_, 1);
  EXPECT_EQ(cpu_iterations_per_us(), measured_);
  set_cpu_iterations_per_us(123.5);
  EXPECT_EQ(cpu_iterations_per_us(), 123.5);
  EXPECT_THROW(set_cpu_iterations_per_us(0), UsageError);
  EXPECT_THROW(set_cpu_iterations_per_us(std::nan("")), UsageError);
}

TEST_F(Calibrated, DecidesTheMeanAmountOfWork) {
  set_cpu_iterations_per_us(1000);
  for (const char* shape : kShapes) {
    CpuWork work(Distribution::parse(shape, "test"), std::chrono::microseconds(200), 1);
    work.prepare(false);
    double sum = 0;
    for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) {
      sum += static_cast<double>(work.iterations(seed));
    }
    EXPECT_NEAR(sum / kTabulatedSeeds, 200'000, 1) << shape;
  }
}

TEST_F(Calibrated, LeavesTheDigestsAsTheyAre) {
  const auto workload = make_workload("cpu", {{"work", "20us"}, {"dist", "exponential"}});
  PlainIo io;
  std::vector<std::uint64_t> digests;
  for (const double calibration : {500.0, 501.0, 1.5}) {
    set_cpu_iterations_per_us(calibration);
    workload->prepare({});
    for (std::uint64_t seed = 0; seed < 64; ++seed) {
      const Outcome outcome = run_request(*workload, io, seed);
      ASSERT_TRUE(outcome.succeeded());
      if (digests.size() <= seed) digests.push_back(outcome.digest);
      EXPECT_EQ(outcome.digest, digests[seed]);
    }
  }
  EXPECT_EQ(std::set<std::uint64_t>(digests.begin(), digests.end()).size(), digests.size());
}

}  // namespace
}  // namespace precipice
