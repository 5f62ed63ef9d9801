// What requests of the event loop and the ring get from files, sockets and gates.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "models/model.hpp"
#include "models/random.hpp"
#include "tests/support/async_models.hpp"
#include "tests/support/process_entries.hpp"

namespace precipice {

ModelInfo io_uring_model();

namespace {

using namespace std::chrono_literals;
using testing::AsyncBench;
using testing::AsyncModels;
using testing::descriptors_now;

constexpr std::size_t kFileBytes = 1 << 20;

std::uint8_t file_byte(std::size_t at) { return static_cast<std::uint8_t>(mix64(at)); }

Task<void> read_a_block(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  const std::size_t bytes = request.id % 3 == 0 ? 16384 : 4096;  // some larger than the usual block
  Lease lease = io.lease(bytes);
  const std::size_t offset = mix64(request.seed) % (kFileBytes / 16384) * 16384;
  const auto count = co_await io.read(bench.descriptor, lease.span().first(bytes), offset);
  EXPECT_EQ(count, static_cast<std::int64_t>(bytes));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(lease.span().data()) % 4096, 0U);
  int wrong = 0;
  for (std::size_t i = 0; i < bytes; i += 509) {
    wrong += std::to_integer<std::uint8_t>(lease.span()[i]) != file_byte(offset + i);
  }
  bench.ended(request, wrong);
}

TEST_P(AsyncModels, ReadWhatTheFileHoldsRegisteredOrNot) {
  std::string path = "/tmp/precipice-async-XXXXXX";
  const int file = ::mkstemp(path.data());
  ASSERT_GE(file, 0);
  ::unlink(path.c_str());
  std::vector<std::uint8_t> content(kFileBytes);
  for (std::size_t i = 0; i < kFileBytes; ++i) content[i] = file_byte(i);
  ASSERT_EQ(::write(file, content.data(), kFileBytes), static_cast<ssize_t>(kFileBytes));
  for (const bool registered : {false, true}) {
    AsyncBench bench(GetParam(), 3000, read_a_block);
    bench.descriptor = file;
    if (registered) bench.setup.files = {file};
    bench.start();
    bench.submit_all();
    bench.shutdown_drained();
    bench.expect_each_ended_once();
    EXPECT_EQ(std::count(bench.result.begin(), bench.result.end(), 0), 3000);
  }
  ::close(file);
}

int listen_on_loopback(sockaddr_in& address) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener, 512), 0);
  EXPECT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return listener;
}

// Even requests accept and echo, odd ones connect and compare.
Task<void> talk(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  Lease lease = io.lease(4096);
  std::int64_t outcome = 0;
  const std::span<std::byte> word = lease.span().first(8);
  if (request.id % 2 == 0) {
    const auto socket = co_await io.accept(bench.descriptor);
    EXPECT_GE(socket, 0);
    const int peer = static_cast<int>(socket);
    for (;;) {
      const auto got = co_await io.recv(peer, lease.span());
      if (got <= 0) {
        outcome = got;
        break;
      }
      const auto sent = co_await io.send(peer, lease.span().first(static_cast<std::size_t>(got)));
      EXPECT_EQ(sent, got);
    }
    io.close(peer);
  } else {
    const auto socket = co_await io.connect(bench.address);
    EXPECT_GE(socket, 0);
    const int peer = static_cast<int>(socket);
    for (std::uint64_t round = 0; round < 3; ++round) {
      const std::uint64_t said = mix64(request.seed + round);
      std::memcpy(word.data(), &said, sizeof said);
      const auto sent = co_await io.send(peer, word);
      EXPECT_EQ(sent, 8);
      const auto got = co_await io.recv(peer, word);
      EXPECT_EQ(got, 8);
      std::uint64_t heard = 0;
      std::memcpy(&heard, word.data(), sizeof heard);
      if (heard != said) outcome = 1;
    }
    io.close(peer);
  }
  bench.ended(request, outcome);
}

TEST_P(AsyncModels, TalkOverLoopbackAndLeakNoDescriptor) {
  const std::size_t before = descriptors_now();
  {
    AsyncBench bench(GetParam(), 400, talk);
    bench.descriptor = listen_on_loopback(bench.address);
    bench.start();
    bench.submit_all();
    bench.shutdown_drained();
    bench.expect_each_ended_once();
    EXPECT_EQ(std::count(bench.result.begin(), bench.result.end(), 0), 400);
    bench.model.reset();
    ::close(bench.descriptor);
  }
  EXPECT_EQ(descriptors_now(), before);
}

Task<void> connect_to_nobody(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  const auto socket = co_await io.connect(bench.address);
  bench.ended(request, socket);
}

TEST_P(AsyncModels, YieldTheErrorOfAConnectionThatIsRefused) {
  const std::size_t before = descriptors_now();
  {
    AsyncBench bench(GetParam(), 50, connect_to_nobody);
    ::close(listen_on_loopback(bench.address));
    bench.start();
    bench.submit_all();
    bench.shutdown_drained();
    bench.expect_each_ended_once();
    EXPECT_EQ(std::count(bench.result.begin(), bench.result.end(), -ECONNREFUSED), 50);
  }
  EXPECT_EQ(descriptors_now(), before);
}

Task<void> receive_one(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  Lease lease = io.lease(64);
  ++bench.begun;
  const auto got = co_await io.recv(bench.sockets[request.id], lease.span());
  bench.ended(request, got);
}

TEST_P(AsyncModels, WaitForASocketThatSomeoneMadeNonBlocking) {
  constexpr std::size_t kPairs = 40;
  AsyncBench bench(GetParam(), kPairs, receive_one);
  std::vector<int> ours;
  for (std::size_t i = 0; i < kPairs; ++i) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    bench.sockets.push_back(pair[0]);
    ours.push_back(pair[1]);
  }
  bench.start();
  bench.submit_all();
  bench.wait_for(bench.begun, kPairs);
  // Half are told something, the other half are cancelled.
  for (std::size_t i = 0; i < kPairs / 2; ++i) ASSERT_EQ(::write(ours[i], "hello", 5), 5);
  while (bench.model->in_flight() > kPairs / 2) std::this_thread::sleep_for(1ms);
  bench.shutdown_now();
  bench.expect_each_ended_once();
  EXPECT_EQ(std::count(bench.result.begin(), bench.result.end(), 5), std::ptrdiff_t{kPairs / 2});
  EXPECT_EQ(std::count(bench.result.begin(), bench.result.end(), -ECANCELED),
            std::ptrdiff_t{kPairs / 2});
  bench.model.reset();
  for (const int socket : bench.sockets) ::close(socket);
  for (const int socket : ours) ::close(socket);
}

Task<void> pass_the_gate(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  Gate& gate = *bench.gates[io.executor()];
  ++bench.begun;
  const auto entered = co_await io.acquire(gate);
  EXPECT_EQ(entered, 0);
  const int inside = ++bench.inside;
  if (inside > bench.most_inside) bench.most_inside = inside;
  const auto slept = co_await io.sleep(Nanos(request.seed % 3 * 10'000));
  --bench.inside;
  gate.release();
  bench.ended(request, slept);
}

TEST_P(AsyncModels, AdmitNoMoreThanTheGateHasPermits) {
  AsyncBench bench(GetParam(), 3000, pass_the_gate);
  const unsigned executors = bench.model->executors(bench.setup.cpus);
  for (unsigned i = 0; i < executors; ++i) bench.gates.push_back(std::make_unique<Gate>(2));
  bench.start();
  bench.submit_all();
  bench.shutdown_drained();
  bench.expect_each_ended_once();
  EXPECT_LE(bench.most_inside, static_cast<int>(2 * executors));
}

Task<void> hold_the_gate_an_hour(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  Gate& gate = *bench.gates[io.executor()];
  ++bench.begun;
  const auto entered = co_await io.acquire(gate);
  EXPECT_EQ(entered, 0);
  const auto slept = co_await io.sleep(std::chrono::hours(1));
  gate.release();
  bench.ended(request, slept);
}

TEST_P(AsyncModels, DrainAGateAtShutdownBecauseItsHoldersAreCancelled) {
  AsyncBench bench(GetParam(), 5000, hold_the_gate_an_hour);
  for (unsigned i = 0; i < bench.model->executors(bench.setup.cpus); ++i) {
    bench.gates.push_back(std::make_unique<Gate>(1));
  }
  bench.start();
  bench.submit_all();
  bench.wait_for(bench.begun, 5000);
  bench.shutdown_now();
  bench.expect_each_ended_once();
  EXPECT_EQ(std::count(bench.result.begin(), bench.result.end(), -ECANCELED), 5000);
}

// The kernel's own count of what went through the rings of this process.
std::uint64_t submitted_to_rings() {
  std::uint64_t sum = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone) != "anon_inode:[io_uring]") continue;
    std::ifstream info("/proc/self/fdinfo/" + entry.path().filename().string());
    for (std::string word; info >> word;) {
      std::uint64_t value = 0;
      if (word == "SqTail:" && info >> value) sum += value;
    }
  }
  return sum;
}

TEST_P(AsyncModels, AdvanceTheCountersOfTheirEngine) {
  AsyncBench bench(GetParam(), 200, talk);
  bench.descriptor = listen_on_loopback(bench.address);
  bench.start();
  const std::uint64_t before = submitted_to_rings();
  bench.submit_all();
  while (bench.model->in_flight() > 0) std::this_thread::sleep_for(1ms);
  if (GetParam().info == io_uring_model) {
    EXPECT_GE(submitted_to_rings(), before + 200);
    EXPECT_GT(bench.stat("enters"), 0);
    EXPECT_GE(bench.stat("sqes"), 200);
    EXPECT_GE(bench.stat("cqes"), 200);
    EXPECT_GE(bench.stat("submit_batch_mean"), 1);
    EXPECT_EQ(bench.stat("cq_dropped"), 0);
    EXPECT_EQ(bench.stat("enter_errors"), 0);
  } else {
    EXPECT_GT(bench.stat("posts"), 0);
  }
  EXPECT_EQ(bench.stat("queue_depth"), 0);
  bench.shutdown_drained();
  bench.expect_each_ended_once();
  bench.model.reset();
  ::close(bench.descriptor);
}

TEST(IoUringModel, ComesThroughASubmissionQueueThatIsFarTooSmall) {
  if (const auto reason = io_uring_model().unavailable()) GTEST_SKIP() << *reason;
  AsyncBench bench({"io_uring", io_uring_model, {}}, 1000, talk,
                   {{"entries", "8"}, {"in_flight_limit", "1000"}});
  bench.descriptor = listen_on_loopback(bench.address);
  bench.start();
  bench.submit_all();
  bench.shutdown_drained();
  bench.expect_each_ended_once();
  EXPECT_EQ(std::count(bench.result.begin(), bench.result.end(), 0), 1000);
  EXPECT_GT(bench.stat("sq_full"), 0);
  bench.model.reset();
  ::close(bench.descriptor);
}

// The last request keeps the thread until all sockets are ready, so that one reap finds all of
// them.
Task<void> bring_the_next(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  const std::uint64_t talkers = bench.sockets.size();
  if (request.id == 2 * talkers) {
    ++bench.begun;
    while (!bench.late) std::this_thread::yield();
  } else if (request.id < talkers) {
    std::byte word{};
    co_await io.recv(bench.sockets[request.id], {&word, 1});
  }
  bench.order.push_back(request.id);
  bench.ended(request, 0);
  if (request.id < talkers) bench.model->submit(AsyncBench::request(talkers + request.id));
}

TEST(IoUringModel, BeginsWhatAnEndedRequestBringsBeforeOtherCompletions) {
  if (const auto reason = io_uring_model().unavailable()) GTEST_SKIP() << *reason;
  constexpr std::uint64_t kTalkers = 8;
  AsyncBench bench({"io_uring", io_uring_model, {}}, 2 * kTalkers + 1, bring_the_next);
  bench.setup.cpus = CpuSet({bench.setup.cpus.list().front()});
  std::vector<int> peers;
  for (std::uint64_t i = 0; i < kTalkers; ++i) {
    int pair[2] = {-1, -1};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    bench.sockets.push_back(pair[0]);
    peers.push_back(pair[1]);
  }
  bench.start();
  for (std::uint64_t id = 0; id < kTalkers; ++id) {
    ASSERT_EQ(bench.model->submit(AsyncBench::request(id)), Refusal::none);
  }
  ASSERT_EQ(bench.model->submit(AsyncBench::request(2 * kTalkers)), Refusal::none);
  bench.wait_for(bench.begun, 1);
  for (const int peer : peers) ASSERT_EQ(::write(peer, "x", 1), 1);
  bench.late = true;
  while (bench.model->in_flight() > 0) std::this_thread::sleep_for(1ms);
  bench.shutdown_drained();
  bench.expect_each_ended_once();
  ASSERT_EQ(bench.order.size(), 2 * kTalkers + 1);
  for (std::size_t i = 1; i < bench.order.size(); i += 2) {
    EXPECT_LT(bench.order[i], kTalkers);
    EXPECT_EQ(bench.order[i + 1], bench.order[i] + kTalkers);
  }
  bench.model.reset();
  for (const int descriptor : bench.sockets) ::close(descriptor);
  for (const int descriptor : peers) ::close(descriptor);
}

}  // namespace
}  // namespace precipice
