// No memory: for a request's frame, for its child's, for what the engine keeps of an operation, for
// the queue in submit, and while a model starts. It is counted (shed with `memory`, failed with
// ENOMEM) or said, and nothing else is harmed.
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>

#include "models/task.hpp"
#include "tests/faults/fault_hooks.hpp"
#include "tests/faults/fault_rig.hpp"
#include "tests/support/process_entries.hpp"

namespace precipice::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kRequests = 90;

Task<Outcome> sleep_twice(FaultBench&, Io& io, Request request) {
  for (int i = 0; i < 2; ++i) {
    const std::int64_t slept = co_await io.sleep(50us);
    if (slept < 0) co_return Outcome::failed(slept);
  }
  co_return Outcome::ok(request.seed);
}

class FaultsMemory : public ::testing::TestWithParam<FaultVariant> {};

TEST_P(FaultsMemory, ForTheFrameShedsTheRequest) {
  FaultBench bench(GetParam(), kRequests, sleep_twice);
  bench.before_frame = [](FaultBench&, const Request& request) {
    if (request.id % 3 == 0) fail_frame_allocation_after(1);
  };
  bench.start();
  bench.submit_all();
  bench.shutdown_drained();
  const Ends ends = bench.ends();
  EXPECT_EQ(ends.completed, kRequests * 2 / 3);
  EXPECT_EQ(ends.reasons, (std::map<Refusal, std::uint64_t>{{Refusal::memory, kRequests / 3}}));
}

TEST_P(FaultsMemory, ForTheFrameOfAChildFailsTheRequest) {
  FaultBench bench(GetParam(), kRequests, sleep_twice);
  bench.before_frame = [](FaultBench&, const Request& request) {
    if (request.id % 3 == 0) fail_frame_allocation_after(2);
  };
  bench.start();
  bench.submit_all();
  bench.shutdown_drained();
  const Ends ends = bench.ends();
  EXPECT_EQ(ends.completed, kRequests * 2 / 3);
  EXPECT_EQ(ends.errors, (std::map<int, std::uint64_t>{{ENOMEM, kRequests / 3}}));
}

// Armed on the executing thread and never disarmed: whichever allocation comes next there, the
// operation's, the engine's or the next request's, does not succeed.
void fail_any_allocation(const FaultVariant& variant) {
  for (const bool frames : {true, false}) {
    FaultBench bench(variant, 400, sleep_twice);
    bench.mode = frames;
    bench.before_frame = [](FaultBench& self, const Request& request) {
      if (request.id % 2 != 0) return;
      const std::uint64_t n = 1 + request.id / 2 % 7;
      self.mode != 0 ? fail_frame_allocation_after(n) : fail_new_after(n);
    };
    bench.start();
    bench.submit_all();
    bench.shutdown_drained();
    const Ends ends = bench.ends();
    fail_new_after(0);
    fail_frame_allocation_after(0);
    EXPECT_GT(ends.completed, 0U);
    for (const auto& [error, count] : ends.errors) EXPECT_EQ(error, ENOMEM) << count;
    for (const auto& [why, count] : ends.reasons) EXPECT_EQ(why, Refusal::memory) << count;
    EXPECT_TRUE(ends.failed + ends.shed > 0 || !frames);
  }
}

TEST_P(FaultsMemory, AtAnyAllocationOfAnExecutingThreadIsCounted) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(alone(fail_any_allocation, GetParam()), ::testing::ExitedWithCode(0), "");
}

TEST_P(FaultsMemory, InSubmitShedsTheRequest) {
  FaultBench bench(GetParam(), 500, sleep_twice);
  bench.start();
  const std::uint64_t before = news_failed();
  for (std::uint64_t id = 0; id < 500; ++id) {
    fail_new_after(1);
    const Refusal refusal = bench.submit(id);
    fail_new_after(0);
    if (refusal != Refusal::none) {
      EXPECT_EQ(refusal, Refusal::memory);
    }
  }
  bench.shutdown_drained();
  const Ends ends = bench.ends();
  EXPECT_EQ(ends.failed, 0U);
  // Each failure is one refused request; a queue that has room for the next needs none.
  if (!GetParam().runs_in_submit()) {
    EXPECT_EQ(ends.shed, news_failed() - before);
  }
}

Task<Outcome> sleep_an_hour(FaultBench& bench, Io& io, Request) {
  bench.begun.fetch_add(1);
  const std::int64_t slept = co_await io.sleep(1h);
  co_return Outcome::failed(slept);
}

void cancel_without_memory(const FaultVariant& variant) {
  FaultBench bench(variant, 300, sleep_an_hour);
  bench.before_frame = [](FaultBench&, const Request&) { fail_every_new_after(20); };
  bench.start();
  bench.submit_all();
  FaultBench::wait_for(bench.begun, 1);
  fail_every_new_after(1);
  bench.shutdown_now();
  fail_every_new_after(0);
  EXPECT_EQ(bench.ends().completed, 0U);
}

TEST_P(FaultsMemory, IsNotNeededToCancelAndToEnd) {
  if (GetParam().runs_in_submit()) GTEST_SKIP() << "its submitter waits for the request";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(alone(cancel_without_memory, GetParam()), ::testing::ExitedWithCode(0), "");
}

TEST_P(FaultsMemory, AtStartIsSaidAndLeavesNothingBehind) {
  std::uint64_t n = 1;
  for (bool started = false; !started; ++n) {
    ASSERT_LT(n, 400U);
    SCOPED_TRACE(n);
    FaultBench bench(GetParam(), 10, sleep_twice);
    const std::size_t descriptors = descriptors_now();
    const std::uint64_t before = news_failed();
    try {
      fail_new_after(n);
      bench.start();
      fail_new_after(0);
      started = news_failed() == before;
      bench.submit_all();
      bench.shutdown_drained();
      EXPECT_EQ(bench.ends().completed, 10U);
    } catch (const Unavailable& reason) {
      fail_new_after(0);
      EXPECT_NE(std::string(reason.what()).find("memory"), std::string::npos) << reason.what();
      EXPECT_EQ(bench.submit(0), Refusal::shutdown);
    }
    bench.model.reset();
    EXPECT_EQ(descriptors_now(), descriptors);
  }
  if (!GetParam().runs_in_submit()) {
    EXPECT_GT(n, 2U);
  }
}

INSTANTIATE_TEST_SUITE_P(All, FaultsMemory, ::testing::ValuesIn(fault_variants()), fault_label);

}  // namespace
}  // namespace precipice::testing
