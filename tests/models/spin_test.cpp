// Spinning before a wait: it changes what an executor does while nothing is there, and nothing
// else.
#include "models/spin.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "models/model.hpp"
#include "tests/support/async_models.hpp"

namespace precipice {

ModelInfo event_loop_model();
ModelInfo io_uring_model();

namespace {

using namespace std::chrono_literals;
using testing::AsyncBench;
using testing::AsyncModels;
using testing::AsyncVariant;

class SpinningModels : public AsyncModels {};

Task<void> echo_bytes(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  const int socket = bench.sockets[request.id];
  ++bench.begun;
  std::int64_t echoed = 0;
  for (;;) {
    std::byte byte{};
    const auto received = co_await io.recv(socket, {&byte, 1});
    if (received <= 0) break;
    const auto sent = co_await io.send(socket, {&byte, 1});
    if (sent != 1) break;
    ++echoed;
  }
  bench.ended(request, echoed);
}

TEST_P(SpinningModels, EchoEveryByteAndEndWithTheirPeers) {
  constexpr std::size_t kPairs = 6, kBytes = 200;
  AsyncBench bench(GetParam(), kPairs, echo_bytes);
  std::vector<int> peers;
  for (std::size_t i = 0; i < kPairs; ++i) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    bench.sockets.push_back(pair[0]);
    peers.push_back(pair[1]);
  }
  bench.start();
  bench.submit_all();
  for (std::size_t n = 0; n < kBytes; ++n) {
    for (const int peer : peers) {
      const char out = static_cast<char>(n);
      char in = 0;
      ASSERT_EQ(::write(peer, &out, 1), 1);
      ASSERT_EQ(::read(peer, &in, 1), 1);
      ASSERT_EQ(in, out);
    }
  }
  for (const int peer : peers) ::close(peer);
  bench.shutdown_drained();
  bench.expect_each_ended_once();
  EXPECT_EQ(std::count(bench.result.begin(), bench.result.end(), std::int64_t{kBytes}),
            std::ptrdiff_t{kPairs});
  bench.model.reset();
  for (const int socket : bench.sockets) ::close(socket);
}

// A spin that finds nothing ends, and its thread then blocks: it polls no more.
TEST_P(SpinningModels, PollNoMoreOnceTheirBoundIsOver) {
  AsyncBench bench(GetParam(), 1, [](void* context, Io& io, Request request) -> Task<void> {
    AsyncBench& own = *static_cast<AsyncBench*>(context);
    const auto slept = co_await io.sleep(1ms);
    own.ended(request, slept);
  });
  bench.start();
  bench.submit_all();
  // Every executor has nothing to do, spins once more in vain, and blocks.
  while (bench.model->in_flight() > 0) std::this_thread::sleep_for(1ms);
  const auto executors = static_cast<double>(bench.model->executors(bench.setup.cpus));
  while (bench.stat("spins_in_vain") < executors) std::this_thread::sleep_for(1ms);
  double before = -1, after = bench.stat("spin_polls");
  // Settled once two looks agree. One that went on spinning would make this last for ever.
  while (before != after) {
    std::this_thread::sleep_for(20ms);
    before = std::exchange(after, bench.stat("spin_polls"));
  }
  EXPECT_GT(after, 0);
  EXPECT_LE(bench.stat("spins_in_vain"), bench.stat("spins"));
  bench.shutdown_drained();
}

// What is brought from outside while a thread spins must not wait for the next completion.
TEST_P(SpinningModels, BeginWhatComesWhileTheySpinAndAfterIt) {
  constexpr std::size_t kRequests = 300;
  AsyncBench bench(GetParam(), kRequests, [](void* context, Io&, Request request) -> Task<void> {
    static_cast<AsyncBench*>(context)->ended(request, 7);
    co_return;
  });
  bench.start();
  for (std::uint64_t id = 0; id < kRequests; ++id) {
    ASSERT_EQ(bench.model->submit(AsyncBench::request(id)), Refusal::none);
    while (bench.model->in_flight() > 0) std::this_thread::yield();
    // Around the bound, so that some find the thread spinning, some asleep and some between.
    std::this_thread::sleep_for(Nanos(id * 700));
  }
  bench.shutdown_drained();
  bench.expect_each_ended_once();
  EXPECT_EQ(std::count(bench.result.begin(), bench.result.end(), 7), std::ptrdiff_t{kRequests});
}

TEST_P(SpinningModels, EndAtOnceWhenTheyAreShutDown) {
  AsyncBench bench(GetParam(), 100, [](void* context, Io& io, Request request) -> Task<void> {
    AsyncBench& own = *static_cast<AsyncBench*>(context);
    ++own.begun;
    const auto slept = co_await io.sleep(std::chrono::hours(1));
    own.ended(request, slept);
  });
  bench.start();
  bench.submit_all();
  bench.wait_for(bench.begun, 100);
  bench.shutdown_now();
  bench.expect_each_ended_once();
  EXPECT_EQ(std::count(bench.result.begin(), bench.result.end(), -ECANCELED), 100);
}

INSTANTIATE_TEST_SUITE_P(
    , SpinningModels,
    ::testing::Values(AsyncVariant{"event_loop", event_loop_model, {{"spin", "100us"}}},
                      AsyncVariant{"event_loop_shared",
                                   event_loop_model,
                                   {{"spin", "100us"}, {"contexts", "shared"}}},
                      AsyncVariant{"io_uring", io_uring_model, {{"spin", "100us"}}}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(Spin, IsBounded) {
  for (const ModelInfo& info : {event_loop_model(), io_uring_model()}) {
    const auto with = [&info](const std::string& spin) {
      return info.make(Options(info.name, info.options, {{"spin", spin}}));
    };
    EXPECT_NO_THROW(with("1ms"));
    EXPECT_THROW(with("1001us"), UsageError);
    EXPECT_THROW(with("soon"), UsageError);
  }
}

TEST(Spin, PollsAtLeastOnceAndCountsWhatItFound) {
  SpinTallies tallies;
  EXPECT_TRUE(spin_until(Time::min(), tallies, [] { return true; }));
  EXPECT_FALSE(spin_until(Time::min(), tallies, [] { return false; }));
  int left = 5;
  EXPECT_TRUE(spin_until(Time::max(), tallies, [&left] { return --left == 0; }));
  EXPECT_EQ(tallies.spins(), 3U);
  EXPECT_EQ(tallies.in_vain(), 1U);
  EXPECT_EQ(tallies.polls(), 7U);
}

}  // namespace
}  // namespace precipice
