// A thread that cannot be created: while a model starts, in the middle of a run, and which of the
// kernel's limits is then named.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "harness/host/host_watch.hpp"
#include "harness/host/wake_up.hpp"
#include "harness/trial/noise_sampler.hpp"
#include "harness/trial/rpc_backend.hpp"
#include "models/thread_limits.hpp"
#include "tests/faults/fault_hooks.hpp"
#include "tests/faults/fault_rig.hpp"
#include "tests/support/process_entries.hpp"

namespace precipice::testing {
namespace {

using namespace std::chrono_literals;

Task<Outcome> wait_briefly(FaultBench& bench, Io& io, Request request) {
  bench.begun.fetch_add(1);
  const std::int64_t slept = co_await io.sleep(bench.mode == 0 ? 100us : 1h);
  if (slept < 0) co_return Outcome::failed(slept);
  co_return Outcome::ok(request.seed);
}

class FaultsThreads : public ::testing::TestWithParam<FaultVariant> {};

/// One attempt to start with `allowed` threads. True when it started, and then it has worked too.
bool starts_with(const FaultVariant& variant, std::int64_t allowed) {
  FaultBench bench(variant, 40, wait_briefly);
  const std::size_t threads = threads_now();
  const std::size_t descriptors = descriptors_now();
  try {
    const ThreadsRefused refused(allowed);
    bench.start();
  } catch (const Unavailable& reason) {
    EXPECT_GT(std::string(reason.what()).size(), 40U) << reason.what();
    // What was made has been taken down again, and the model can be asked, stopped and destroyed.
    EXPECT_EQ(bench.submit(0), Refusal::shutdown);
    bench.shutdown_now();
    EXPECT_EQ(bench.ends().shed, 1U);
    bench.model.reset();
    if (variant.model != "work_stealing") {
      EXPECT_LE(threads_fallen_to(threads), threads);
    }
    EXPECT_EQ(descriptors_now(), descriptors);
    return false;
  }
  bench.submit_all();
  bench.shutdown_drained();
  EXPECT_EQ(bench.ends().completed, 40U);
  return true;
}

void start_with_ever_more_threads(const FaultVariant& variant) {
  std::thread([] {}).join();  // ThreadSanitizer adds a thread of its own with the first one
  std::int64_t allowed = 0;
  while (allowed < 64 && !starts_with(variant, allowed)) ++allowed;
  EXPECT_LT(allowed, 64);
  EXPECT_EQ(allowed == 0, variant.runs_in_submit());
  EXPECT_TRUE(starts_with(variant, 1'000));
}

TEST_P(FaultsThreads, StartSaysWhyOrWorks) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(alone(start_with_ever_more_threads, GetParam()), ::testing::ExitedWithCode(0), "");
}

void run_without_new_threads(const FaultVariant& variant) {
  constexpr std::uint64_t kRequests = 200;
  constexpr std::uint64_t kAllowed = 5;
  const bool needs_threads = variant.model == "thread_per_request";
  FaultBench bench(variant, kRequests, wait_briefly);
  bench.mode = needs_threads ? 1 : 0;  // its threads are to be alive all at once
  bench.start();
  {
    const ThreadsRefused refused(kAllowed);
    bench.submit_all();
    bench.wait_ended(needs_threads ? kRequests - kAllowed : kRequests);
  }
  needs_threads ? bench.shutdown_now() : bench.shutdown_drained();
  const Ends ends = bench.ends();
  if (needs_threads) {
    EXPECT_EQ(ends.errors.at(ECANCELED), kAllowed);
    EXPECT_EQ(ends.reasons.at(Refusal::threads), kRequests - kAllowed);
    EXPECT_EQ(bench.stat("threads_refused"), static_cast<double>(kRequests - kAllowed));
    EXPECT_EQ(bench.stat("limited_by_memory"), 1) << "no limit of this machine is near";
  } else {
    EXPECT_EQ(ends.completed, kRequests) << "this model creates no thread once it has started";
    EXPECT_EQ(ThreadsRefused::refused(), 0U);
  }
}

TEST_P(FaultsThreads, InTheMiddleShedOnlyTheRequestsThatNeedOne) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(alone(run_without_new_threads, GetParam()), ::testing::ExitedWithCode(0), "");
}

// A CPU that was taken away between the choice of the set and the start.
void start_on_a_cpu_that_is_gone(const FaultVariant& variant) {
  FaultBench bench(variant, 10, wait_briefly);
  bench.setup.cpus = CpuSet({8'191});
  if (variant.runs_in_submit()) {
    bench.start();  // has no thread to pin
  } else {
    EXPECT_THROW(bench.start(), Unavailable);
  }
  bench.submit_all();
  bench.shutdown_drained();
  const Ends ends = bench.ends();
  EXPECT_EQ(variant.runs_in_submit() ? ends.completed : ends.reasons.at(Refusal::shutdown), 10U);
}

TEST_P(FaultsThreads, ThatCannotBePinnedKeepAModelFromStarting) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(alone(start_on_a_cpu_that_is_gone, GetParam()), ::testing::ExitedWithCode(0), "");
}

// Analytic: it has one thread, and serves nothing that waits.
TEST(FaultsOracle, SaysWhyItsTimerCannotStartAndRefuses) {
  for (const bool pinned : {true, false}) {
    FaultBench bench({"oracle", "oracle"}, 5, wait_briefly);
    const std::size_t threads = threads_now();
    if (!pinned) bench.setup.cpus = CpuSet({8'191});
    {
      const ThreadsRefused refused(pinned ? 0 : 1);
      EXPECT_THROW(bench.start(), Unavailable);
    }
    bench.submit_all();
    bench.shutdown_drained();
    EXPECT_EQ(bench.ends().reasons.at(Refusal::shutdown), 5U);
    bench.model.reset();
    EXPECT_LE(threads_fallen_to(threads), threads);
  }
}

// What measures has threads too.
TEST(FaultsHarness, SaysWhichThreadItDidNotGet) {
  const CpuSet cpu({CpuSet::of_this_thread().list().front()});
  const std::vector<std::pair<std::string, std::function<void()>>> makers = {
      {"probe", [&] { const HostWatch watch(cpu); }},
      {"rpc backend", [&] { const Backend backend(cpu); }},
      {"noise", [&] { sample_noise(cpu, cpu, 1ms); }},
  };
  for (const auto& [what, make] : makers) {
    // The look at the noise has a probe before its generator.
    const ThreadsRefused refused(what == "noise" ? 1 : 0);
    try {
      make();
      ADD_FAILURE() << what;
    } catch (const Unavailable& reason) {
      EXPECT_NE(std::string(reason.what()).find(what), std::string::npos) << reason.what();
      EXPECT_EQ(std::string(reason.what()).find("unknown"), std::string::npos) << reason.what();
    }
  }
}

TEST(FaultsHarness, KnowsNoWakeUpsWithoutAThread) {
  const ThreadsRefused refused(0);
  EXPECT_TRUE(measure_wake_ups(CpuSet::of_this_thread(), 1, 1us).empty());
}

INSTANTIATE_TEST_SUITE_P(All, FaultsThreads, ::testing::ValuesIn(fault_variants()), fault_label);

}  // namespace
}  // namespace precipice::testing
