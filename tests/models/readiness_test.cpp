// Waiting until a descriptor can be read or written, on every model: what libraries need that do
// their own receiving and sending.
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "models/model.hpp"
#include "tests/support/async_models.hpp"
#include "tests/support/process_entries.hpp"

namespace precipice {

ModelInfo thread_per_request_model();
ModelInfo fixed_pool_model();
ModelInfo event_loop_model();
ModelInfo io_uring_model();
ModelInfo work_stealing_model();

namespace {

using namespace std::chrono_literals;
using testing::AsyncBench;
using testing::AsyncVariant;
using testing::descriptors_now;

constexpr std::size_t kPairs = 24;

class Readiness : public testing::AsyncModels {
 protected:
  /// `count` connected pairs: the requests' ends in bench.sockets, the others in peers.
  void connect_pairs(AsyncBench& bench, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      int pair[2];
      ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
      bench.sockets.push_back(pair[0]);
      peers.push_back(pair[1]);
    }
  }
  /// After the model's end, since an engine lets go of descriptors that requests left open.
  void close_pairs(AsyncBench& bench) {
    bench.model.reset();
    for (const int socket : bench.sockets) ::close(socket);
    for (const int socket : peers) {
      if (socket >= 0) ::close(socket);
    }
  }
  std::ptrdiff_t ended_with(const AsyncBench& bench, std::int64_t value) const {
    return std::count(bench.result.begin(), bench.result.end(), value);
  }

  std::vector<int> peers;
};

Task<void> await_readable(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  ++bench.begun;
  const auto ready = co_await io.readable(bench.sockets[request.id]);
  bench.ended(request, ready);
}

TEST_P(Readiness, EndsForDataForAPeerThatClosesAndAtShutdown) {
  AsyncBench bench(GetParam(), kPairs, await_readable);
  connect_pairs(bench, kPairs);
  bench.start();
  bench.submit_all();
  bench.wait_for(bench.begun, kPairs);
  constexpr std::size_t kThird = kPairs / 3;
  for (std::size_t i = 0; i < kThird; ++i) ASSERT_EQ(::write(peers[i], "x", 1), 1);
  for (std::size_t i = kThird; i < 2 * kThird; ++i) ::close(std::exchange(peers[i], -1));
  while (bench.model->in_flight() > kThird) std::this_thread::sleep_for(1ms);
  bench.shutdown_now();
  bench.expect_each_ended_once();
  for (std::size_t i = 0; i < kPairs; ++i)
    EXPECT_EQ(bench.result[i], i < 2 * kThird ? 0 : -ECANCELED) << "request " << i;
  close_pairs(bench);
}

// An engine that hears of changes alone has to notice what was there before.
Task<void> await_twice_and_receive(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  const int socket = bench.sockets[request.id];
  std::int64_t outcome = 0;
  for (int round = 0; round < 2; ++round) {
    const auto ready = co_await io.readable(socket);
    if (ready != 0) outcome = ready;
  }
  char byte = 0;
  for (int left = 2; left > 0; --left) {
    const auto ready = co_await io.readable(socket);
    if (ready != 0 || ::recv(socket, &byte, 1, MSG_DONTWAIT) != 1) outcome = -EIO;
  }
  const auto writable = co_await io.writable(socket);
  if (writable != 0) outcome = writable;
  bench.ended(request, outcome);
}

TEST_P(Readiness, CountsWhatWasThereBeforeAndIsNotTakenYet) {
  AsyncBench bench(GetParam(), kPairs, await_twice_and_receive);
  connect_pairs(bench, kPairs);
  for (const int peer : peers) ASSERT_EQ(::write(peer, "ab", 2), 2);
  bench.start();
  bench.submit_all();
  bench.shutdown_drained();
  bench.expect_each_ended_once();
  EXPECT_EQ(ended_with(bench, 0), std::ptrdiff_t{kPairs});
  close_pairs(bench);
}

Task<void> fill_and_await_writable(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  const int socket = bench.sockets[request.id];
  static const std::array<char, 4096> block{};
  while (::send(socket, block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
  ++bench.begun;
  const auto ready = co_await io.writable(socket);
  bench.ended(request, ready);
}

TEST_P(Readiness, WaitsUntilAPeerHasMadeRoom) {
  AsyncBench bench(GetParam(), kPairs, fill_and_await_writable);
  connect_pairs(bench, kPairs);
  bench.start();
  bench.submit_all();
  bench.wait_for(bench.begun, kPairs);
  EXPECT_EQ(bench.model->in_flight(), kPairs);
  std::array<char, 65536> taken;
  for (std::size_t i = 0; i < kPairs / 2; ++i) {
    while (::recv(peers[i], taken.data(), taken.size(), MSG_DONTWAIT) > 0) {
    }
  }
  while (bench.model->in_flight() > kPairs / 2) std::this_thread::sleep_for(1ms);
  bench.shutdown_now();
  bench.expect_each_ended_once();
  for (std::size_t i = 0; i < kPairs; ++i)
    EXPECT_EQ(bench.result[i], i < kPairs / 2 ? 0 : -ECANCELED) << "request " << i;
  close_pairs(bench);
}

Task<void> await_no_descriptor(void* context, Io& io, Request request) {
  const auto readable = co_await io.readable(-1);
  const auto writable = co_await io.writable(-1);
  static_cast<AsyncBench*>(context)->ended(request, readable == writable ? readable : 0);
}

TEST_P(Readiness, RefusesWhatIsNoDescriptor) {
  AsyncBench bench(GetParam(), 10, await_no_descriptor);
  bench.start();
  bench.submit_all();
  bench.shutdown_drained();
  bench.expect_each_ended_once();
  EXPECT_EQ(ended_with(bench, -EBADF), 10);
}

// A library keeps its descriptor and closes it by itself; the engine has a duplicate. The kernel
// gives the same numbers again and again, so what an engine has registered must go with them.
Task<void> await_duplicates(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  std::int64_t outcome = 0;
  for (int round = 0; round < 50 && outcome == 0; ++round) {
    const int own = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const int duplicate = ::dup(own);
    const std::uint64_t one = 1;
    if (::write(own, &one, sizeof one) != sizeof one) outcome = -errno;
    const auto ready = co_await io.readable(duplicate);
    if (ready != 0) outcome = ready;
    io.close(duplicate);
    ::close(own);
  }
  bench.ended(request, outcome);
}

TEST_P(Readiness, WaitsForDuplicatesOfDescriptorsThatALibraryCloses) {
  const std::size_t before = descriptors_now();
  {
    AsyncBench bench(GetParam(), kPairs, await_duplicates);
    bench.start();
    bench.submit_all();
    bench.shutdown_drained();
    bench.expect_each_ended_once();
    EXPECT_EQ(ended_with(bench, 0), std::ptrdiff_t{kPairs});
  }
  EXPECT_EQ(descriptors_now(), before);
}

TEST_P(Readiness, IsCancelledWhereItBeginsAfterTheShutdown) {
  // Each request that is cancelled at its first wait begins another one.
  AsyncBench bench(GetParam(), kPairs, [](void* context, Io& io, Request request) -> Task<void> {
    AsyncBench& own = *static_cast<AsyncBench*>(context);
    ++own.begun;
    const auto first = co_await io.readable(own.sockets[request.id]);
    const auto second = co_await io.readable(own.sockets[request.id]);
    own.ended(request, first == second ? first : 1);
  });
  connect_pairs(bench, kPairs);
  bench.start();
  bench.submit_all();
  bench.wait_for(bench.begun, kPairs);
  bench.shutdown_now();
  bench.expect_each_ended_once();
  EXPECT_EQ(ended_with(bench, -ECANCELED), std::ptrdiff_t{kPairs});
  close_pairs(bench);
}

INSTANTIATE_TEST_SUITE_P(
    , Readiness,
    ::testing::Values(AsyncVariant{"thread_per_request", thread_per_request_model, {}},
                      AsyncVariant{"fixed_pool", fixed_pool_model, {{"threads", "32"}}},
                      AsyncVariant{"event_loop", event_loop_model, {}},
                      AsyncVariant{"event_loop_shared", event_loop_model, {{"contexts", "shared"}}},
                      AsyncVariant{"io_uring", io_uring_model, {}},
                      AsyncVariant{"work_stealing", work_stealing_model, {}},
                      AsyncVariant{"work_stealing_block",
                                   work_stealing_model,
                                   {{"io", "block"}, {"threads", "32"}}}),
    [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace precipice
