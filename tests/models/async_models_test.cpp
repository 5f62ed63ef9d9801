// What the event loop and the ring promise: nothing lost, nothing twice, no thread per waiting
// request, and a shutdown that ends everything.
#include "tests/support/async_models.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "models/model.hpp"
#include "models/random.hpp"
#include "tests/support/process_entries.hpp"
#include "tests/support/sanitized.hpp"

namespace precipice {

ModelInfo event_loop_model();
ModelInfo io_uring_model();

namespace {

using namespace std::chrono_literals;
using testing::AsyncBench;
using testing::AsyncModels;
using testing::AsyncVariant;
using testing::threads_now;
using testing::threads_settled;

Task<void> sleep_briefly(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  const auto slept = co_await io.sleep(Nanos(mix64(request.seed) % 200'000));
  bench.ended(request, slept);
}

TEST_P(AsyncModels, LoseAndDuplicateNothing) {
  AsyncBench bench(GetParam(), 20'000, sleep_briefly);
  bench.start();
  std::vector<std::thread> submitters;
  for (std::uint64_t which = 0; which < 2; ++which) {
    submitters.emplace_back([&bench, which] {
      for (std::uint64_t id = which; id < 20'000; id += 2) {
        EXPECT_EQ(bench.model->submit(AsyncBench::request(id)), Refusal::none);
      }
    });
  }
  for (std::thread& submitter : submitters) submitter.join();
  bench.shutdown_drained();
  bench.expect_each_ended_once();
  EXPECT_EQ(std::count(bench.result.begin(), bench.result.end(), 0), 20'000);
}

Task<void> sleep_an_hour(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  ++bench.begun;
  const auto slept = co_await io.sleep(std::chrono::hours(1));
  // Begun after the cancellation, so it must not wait either.
  const auto again = co_await io.sleep(std::chrono::hours(1));
  EXPECT_EQ(again, -ECANCELED);
  bench.ended(request, slept);
}

TEST_P(AsyncModels, TenThousandSleepersNeedNoThreadOfTheirOwn) {
  std::thread([] {}).join();  // ThreadSanitizer adds a thread of its own with the first one
  const std::size_t before = threads_settled();
  AsyncBench bench(GetParam(), 10'000, sleep_an_hour);
  bench.start();
  bench.submit_all();
  bench.wait_for(bench.begun, 10'000);
  std::size_t expected = before + bench.setup.cpus.size();
  if (GetParam().info == event_loop_model) expected += 4;
  EXPECT_EQ(threads_now(), expected);
  EXPECT_EQ(bench.stat("threads"), static_cast<double>(expected - before));
  EXPECT_EQ(bench.model->in_flight(), 10'000U);
  bench.shutdown_now();
  bench.expect_each_ended_once();
  EXPECT_EQ(std::count(bench.result.begin(), bench.result.end(), -ECANCELED), 10'000);
}

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

TEST_P(AsyncModels, ASleeperFitsItsShareOfMemory) {
  constexpr std::int64_t kSleepers = 100'000;
  AsyncBench bench(GetParam(), kSleepers, sleep_an_hour);
  bench.start();
  const std::int64_t before = resident_bytes();
  bench.submit_all();
  bench.wait_for(bench.begun, kSleepers);
  const std::int64_t each = (resident_bytes() - before) / kSleepers;
  bench.shutdown_now();
  bench.expect_each_ended_once();
  RecordProperty("bytes_per_sleeper", static_cast<int>(each));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LE(each, 1536 - 64 - 512);  // the slot and the harness's own frame have their parts too
#endif
}

TEST_P(AsyncModels, ShedPastTheInFlightLimit) {
  AsyncBench bench(GetParam(), 100, sleep_an_hour, {{"in_flight_limit", "10"}});
  bench.start();
  int accepted = 0;
  for (std::uint64_t id = 0; id < 100; ++id) {
    const Refusal refusal = bench.model->submit(AsyncBench::request(id));
    accepted += refusal == Refusal::none;
    if (refusal != Refusal::none) {
      EXPECT_EQ(refusal, Refusal::limit);
    }
  }
  EXPECT_EQ(accepted, 10);
  bench.shutdown_now();
  EXPECT_EQ(std::accumulate(bench.ends.begin(), bench.ends.end(), 0), 10);
}

TEST_P(AsyncModels, RefuseWhatIsOlderThanTheDeadline) {
  AsyncBench bench(GetParam(), 20, sleep_briefly, {{"deadline", "1m"}});
  bench.start();
  for (std::uint64_t id = 0; id < 20; ++id) {
    Request request = AsyncBench::request(id);
    if (id % 2 == 0) request.intended -= std::chrono::hours(1);
    EXPECT_EQ(bench.model->submit(request), Refusal::none);
  }
  bench.shutdown_drained();
  bench.expect_each_ended_once();
  for (std::size_t id = 0; id < 20; ++id) {
    EXPECT_EQ(bench.refused[id], static_cast<int>(id % 2 == 0 ? Refusal::deadline : Refusal::none));
  }
}

Task<void> submit_another(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  const auto slept = co_await io.sleep(Nanos(request.seed % 2 * 20'000));
  const std::uint64_t child = request.id + bench.ends.size() / 2;
  if (child < bench.ends.size()) {
    EXPECT_EQ(bench.model->submit(AsyncBench::request(child)), Refusal::none);
    ++bench.begun;
  }
  bench.ended(request, slept);
}

TEST_P(AsyncModels, TakeRequestsThatRequestsSubmit) {
  AsyncBench bench(GetParam(), 4000, submit_another);
  bench.start();
  for (std::uint64_t id = 0; id < 2000; ++id) {
    ASSERT_EQ(bench.model->submit(AsyncBench::request(id)), Refusal::none);
  }
  bench.wait_for(bench.begun, 2000);
  bench.shutdown_drained();
  bench.expect_each_ended_once();
}

Task<void> sleep_until_its_turn(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  const Time due = bench.base + std::chrono::milliseconds(1 + request.seed);
  const Time began = Io::now();
  if (began >= bench.base) bench.late = true;  // then the order proves nothing
  ++bench.begun;
  IoOp sleep = io.sleep(due - began);
  // Held up in between, it is due when the next one is, or later.
  if (Io::now() - began >= 1ms) bench.late = true;
  const auto slept = co_await sleep;
  EXPECT_GE(Io::now(), due);
  {
    const std::lock_guard lock(bench.order_mutex);
    bench.order.push_back(request.seed);
  }
  bench.ended(request, slept);
}

TEST_P(AsyncModels, WakeSleepersOfOneCpuInTheOrderTheyAreDue) {
  AsyncBench bench(GetParam(), 64, sleep_until_its_turn);
  bench.setup.cpus = CpuSet({CpuSet::of_this_thread().list().front()});
  bench.base = Io::now() + 300ms;
  bench.start();
  for (std::uint64_t id = 0; id < 64; ++id) {
    Request request = AsyncBench::request(id);
    request.seed =
        static_cast<std::uint32_t>(id * 37 % 64);  // a permutation: 37 and 64 have no common factor
    EXPECT_EQ(bench.model->submit(request), Refusal::none);
  }
  bench.shutdown_drained();
  bench.expect_each_ended_once();
  if (!bench.late) {
    EXPECT_TRUE(std::is_sorted(bench.order.begin(), bench.order.end()));
  }
}

TEST_P(AsyncModels, ConserveRequestsThatRaceWithShutdown) {
  for (int round = 0; round < 20; ++round) {
    AsyncBench bench(GetParam(), 100'000, round % 2 == 0 ? sleep_briefly : sleep_an_hour);
    bench.start();
    std::atomic<bool> shut{false};
    std::atomic<std::uint64_t> accepted{0};
    std::thread submitter([&] {
      for (std::uint64_t id = 0; id < 100'000; ++id) {
        const Refusal refusal = bench.model->submit(AsyncBench::request(id));
        if (refusal == Refusal::shutdown) {
          shut = true;
          return;
        }
        ++accepted;
      }
    });
    bench.wait_for(accepted, 50);
    bench.shutdown_now();
    submitter.join();
    EXPECT_EQ(static_cast<std::uint64_t>(
                  std::accumulate(bench.ends.begin(), bench.ends.end(), std::uint64_t{0})),
              accepted.load());
    EXPECT_EQ(bench.model->submit(AsyncBench::request(0)), Refusal::shutdown);
    EXPECT_EQ(bench.model->in_flight(), 0U);
  }
}

Task<void> await_a_great_many_times(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  std::int64_t sum = 0;
  for (int i = 0; i < testing::kManyAwaits; ++i) {
    const auto slept = co_await io.sleep(0ns);
    sum += slept;
  }
  for (int i = 0; i < 2000; ++i) {
    const auto slept = co_await io.sleep(1us);
    sum += slept;
  }
  bench.ended(request, sum);
}

TEST_P(AsyncModels, AwaitAGreatManyTimesWithoutGrowingTheStack) {
  AsyncBench bench(GetParam(), 1, await_a_great_many_times);
  bench.start();
  bench.submit_all();
  bench.shutdown_drained();
  bench.expect_each_ended_once();
}

INSTANTIATE_TEST_SUITE_P(
    , AsyncModels,
    ::testing::Values(AsyncVariant{"event_loop", event_loop_model, {}},
                      AsyncVariant{"event_loop_shared", event_loop_model, {{"contexts", "shared"}}},
                      AsyncVariant{"io_uring", io_uring_model, {}}),
    [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace precipice
