// Policies around models under faults: no memory in submit, for an attempt and anywhere on an
// executing thread, and no threads. Every request that was offered ends exactly once, and so does
// every attempt.
#include <gtest/gtest.h>

#include <cctype>
#include <cerrno>
#include <chrono>
#include <string>
#include <tuple>
#include <vector>

#include "tests/faults/fault_hooks.hpp"
#include "tests/faults/fault_rig.hpp"

namespace precipice::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kRequests = 120;

Task<Outcome> sleep_twice(FaultBench&, Io& io, Request request) {
  for (int i = 0; i < 2; ++i) {
    const std::int64_t slept = co_await io.sleep(50us);
    if (slept < 0) co_return Outcome::failed(slept);
  }
  co_return Outcome::ok(request.seed);
}

const std::vector<std::string>& chains() {
  static const std::vector<std::string> all = {
      "none",
      "batch:size=4,linger=1ms",
      "hedge:after=100us",
      "hedge:after=0,tied=yes",
      "retry:timeout=500us,tries=3,backoff=100us",
      "limit:limit=50",
      "queue:running=4,order=lifo",
      "throttle",
      "fan:out=3,need=2",
      "choose:by=stress,up=8,down=2,first=(hedge:after=100us),second=(batch:size=4,linger=1ms)",
      "choose:by=replica,replicas=3",
      "retry:timeout=1ms|hedge:after=200us|batch:size=3,linger=1ms|queue:running=16",
  };
  return all;
}

class FaultsPolicies : public ::testing::TestWithParam<std::tuple<std::size_t, FaultVariant>> {
 protected:
  FaultVariant variant() const {
    FaultVariant variant = std::get<1>(GetParam());
    variant.policies = chains()[std::get<0>(GetParam())];
    return variant;
  }
};

/// Of what ended badly: nothing but the fault that was made, and what the policy makes of it.
void expect_only(const FaultBench& bench, const std::string& policies, int error, Refusal why) {
  const auto has = [&](const char* text) { return policies.find(text) != std::string::npos; };
  const Ends ends = bench.ends();
  for (const auto& [each, count] : ends.errors) {
    EXPECT_TRUE(each == error || (each == ETIMEDOUT && has("retry")) ||
                (each == EIO && has("tied")))  // dropped for one that failed later
        << each << " " << count;
  }
  for (const auto& [each, count] : ends.reasons) {
    // A limit and a throttle refuse what comes after a failure: that is what they are for.
    EXPECT_TRUE(each == why || each == Refusal::policy) << to_string(each) << " " << count;
  }
}

TEST_P(FaultsPolicies, NoMemoryInSubmitEndsTheRequest) {
  FaultBench bench(variant(), kRequests, sleep_twice);
  bench.start();
  for (std::uint64_t id = 0; id < kRequests; ++id) {
    if (id % 2 == 0) fail_new_after(1);
    bench.submit(id);
    fail_new_after(0);
  }
  bench.shutdown_drained();
  expect_only(bench, variant().policies, ENOMEM, Refusal::memory);
}

TEST_P(FaultsPolicies, NoMemoryForAnAttemptEndsIt) {
  FaultBench bench(variant(), kRequests, sleep_twice);
  bench.before_frame = [](FaultBench&, const Request& request) {
    if (request.id % 3 == 0) fail_frame_allocation_after(1);
  };
  bench.start();
  bench.submit_all();
  bench.shutdown_drained();
  expect_only(bench, variant().policies, ENOMEM, Refusal::memory);
  // A machine that stands still for long enough makes all of them time out.
  if (variant().policies.find("retry") == std::string::npos) {
    EXPECT_GT(bench.ends().completed, 0U);
  }
}

// Armed on the executing thread and never disarmed.
void fail_any_allocation(const FaultVariant& variant) {
  FaultBench bench(variant, 300, sleep_twice);
  bench.before_frame = [](FaultBench&, const Request& request) {
    if (request.id % 2 == 0) fail_new_after(1 + request.id / 2 % 7);
  };
  bench.start();
  bench.submit_all();
  bench.shutdown_drained();
  fail_new_after(0);
  expect_only(bench, variant.policies, ENOMEM, Refusal::memory);
}

TEST_P(FaultsPolicies, NoMemoryAnywhereOnAnExecutingThreadIsCounted) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(alone(fail_any_allocation, variant()), ::testing::ExitedWithCode(0), "");
}

void run_without_new_threads(const FaultVariant& variant) {
  FaultBench bench(variant, kRequests, sleep_twice);
  bench.start();
  {
    const ThreadsRefused refused(2);
    bench.submit_all();
    bench.wait_ended(kRequests);
  }
  bench.shutdown_drained();
  expect_only(bench, variant.policies, EAGAIN, Refusal::threads);
}

class FaultsPoliciesOfThreads : public FaultsPolicies {};

TEST_P(FaultsPoliciesOfThreads, NoThreadInTheMiddleShedsWhatNeedsOne) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(alone(run_without_new_threads, variant()), ::testing::ExitedWithCode(0), "");
}

std::vector<FaultVariant> one_of_each_model() {
  std::vector<FaultVariant> variants;
  for (const FaultVariant& each : fault_variants()) {
    if (each.runs_in_submit() || (!variants.empty() && variants.back().model == each.model))
      continue;
    variants.push_back(each);
  }
  return variants;
}

std::string name_of(const ::testing::TestParamInfo<std::tuple<std::size_t, FaultVariant>>& each) {
  std::string text = chains()[std::get<0>(each.param)] + "_on_" + std::get<1>(each.param).label;
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return text;
}

INSTANTIATE_TEST_SUITE_P(All, FaultsPolicies,
                         ::testing::Combine(::testing::Range(std::size_t{0}, chains().size()),
                                            ::testing::ValuesIn(one_of_each_model())),
                         name_of);
// The others create no thread once they have started.
INSTANTIATE_TEST_SUITE_P(All, FaultsPoliciesOfThreads,
                         ::testing::Combine(::testing::Range(std::size_t{0}, chains().size()),
                                            ::testing::Values(FaultVariant{"thread_per_request",
                                                                           "thread_per_request"})),
                         name_of);

}  // namespace
}  // namespace precipice::testing
