// What the event loop and the ring promise: nothing lost, nothing twice, no thread per waiting
// request, and a shutdown that ends everything.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "models/model.hpp"
#include "models/random.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PRECIPICE_SANITIZED 1
#endif

namespace precipice {

ModelInfo event_loop_model();
ModelInfo io_uring_model();

namespace {

using namespace std::chrono_literals;

std::size_t entries_of(const char* directory) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory)) ++count;
  return count;
}
std::size_t threads_now() { return entries_of("/proc/self/task"); }
std::size_t descriptors_now() { return entries_of("/proc/self/fd"); }

struct Variant {
  const char* name;
  ModelInfo (*info)();
  std::map<std::string, std::string> given;
};

// A model with a job, and a ledger of how every request ended.
struct Bench {
  using Body = Task<void> (*)(void*, Io&, Request);

  Bench(const Variant& variant, std::size_t requests, Body body,
        std::map<std::string, std::string> more = {})
      : ends(requests), result(requests), refused(requests) {
    const ModelInfo info = variant.info();
    std::map<std::string, std::string> given = variant.given;
    given.merge(more);
    model = info.make(Options(info.name, info.options, given));
    setup.cpus = CpuSet::allowed();
    setup.job = {body,
                 [](void* context, const Request& request, Refusal why) noexcept {
                   Bench& self = *static_cast<Bench*>(context);
                   self.refused[request.id] = static_cast<int>(why);
                   ++self.ends[request.id];
                 },
                 this};
  }

  void start() { model->start(setup); }
  static Request request(std::uint64_t id) { return {id, id, Io::now()}; }
  void submit_all() {
    for (std::uint64_t id = 0; id < ends.size(); ++id) {
      ASSERT_EQ(model->submit(request(id)), Refusal::none);
    }
  }
  void ended(const Request& request, std::int64_t value) {
    result[request.id] = value;
    ++ends[request.id];
  }
  void shutdown_drained() { model->shutdown(Time::max()); }
  void shutdown_now() { model->shutdown(Io::now()); }
  void expect_each_ended_once() const {
    for (std::size_t id = 0; id < ends.size(); ++id) ASSERT_EQ(ends[id], 1) << "request " << id;
    EXPECT_EQ(model->in_flight(), 0U);
  }
  double stat(const std::string& name) const {
    for (const auto& [key, value] : model->stats()) {
      if (key == name) return value;
    }
    ADD_FAILURE() << "no figure called " << name;
    return -1;
  }
  void wait_for(const std::atomic<std::uint64_t>& value, std::uint64_t least) const {
    while (value.load() < least) std::this_thread::sleep_for(1ms);
  }

  std::unique_ptr<Model> model;
  ModelSetup setup;
  std::vector<std::atomic<int>> ends;
  std::vector<std::int64_t> result;
  std::vector<int> refused;
  std::atomic<std::uint64_t> begun{0};
  // What single tests need besides.
  int descriptor = -1;
  sockaddr_in address{};
  std::vector<int> sockets;
  std::vector<std::unique_ptr<Gate>> gates;
  std::atomic<int> inside{0};
  std::atomic<int> most_inside{0};
  Time base{};
  std::atomic<bool> late{false};
  std::mutex order_mutex;
  std::vector<std::uint64_t> order;
};

class AsyncModels : public testing::TestWithParam<Variant> {
 protected:
  void SetUp() override {
    if (const auto reason = GetParam().info().unavailable()) GTEST_SKIP() << *reason;
  }
};

Task<void> sleep_briefly(void* context, Io& io, Request request) {
  Bench& bench = *static_cast<Bench*>(context);
  const auto slept = co_await io.sleep(Nanos(mix64(request.seed) % 200'000));
  bench.ended(request, slept);
}

TEST_P(AsyncModels, LoseAndDuplicateNothing) {
  Bench bench(GetParam(), 20'000, sleep_briefly);
  bench.start();
  std::vector<std::thread> submitters;
  for (std::uint64_t which = 0; which < 2; ++which) {
    submitters.emplace_back([&bench, which] {
      for (std::uint64_t id = which; id < 20'000; id += 2) {
        EXPECT_EQ(bench.model->submit(Bench::request(id)), Refusal::none);
      }
    });
  }
  for (std::thread& submitter : submitters) submitter.join();
  bench.shutdown_drained();
  bench.expect_each_ended_once();
  EXPECT_EQ(std::count(bench.result.begin(), bench.result.end(), 0), 20'000);
}

Task<void> sleep_an_hour(void* context, Io& io, Request request) {
  Bench& bench = *static_cast<Bench*>(context);
  ++bench.begun;
  const auto slept = co_await io.sleep(std::chrono::hours(1));
  // Begun after the cancellation, so it must not wait either.
  const auto again = co_await io.sleep(std::chrono::hours(1));
  EXPECT_EQ(again, -ECANCELED);
  bench.ended(request, slept);
}

TEST_P(AsyncModels, TenThousandSleepersNeedNoThreadOfTheirOwn) {
  std::thread([] {}).join();  // ThreadSanitizer adds a thread of its own with the first one
  const std::size_t before = threads_now();
  Bench bench(GetParam(), 10'000, sleep_an_hour);
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
  Bench bench(GetParam(), kSleepers, sleep_an_hour);
  bench.start();
  const std::int64_t before = resident_bytes();
  bench.submit_all();
  bench.wait_for(bench.begun, kSleepers);
  const std::int64_t each = (resident_bytes() - before) / kSleepers;
  bench.shutdown_now();
  bench.expect_each_ended_once();
  RecordProperty("bytes_per_sleeper", static_cast<int>(each));
#ifndef PRECIPICE_SANITIZED
  EXPECT_LE(each, 1536 - 64 - 512);  // the slot and the harness's own frame have their parts too
#endif
}

constexpr std::size_t kFileBytes = 1 << 20;

std::uint8_t file_byte(std::size_t at) { return static_cast<std::uint8_t>(mix64(at)); }

Task<void> read_a_block(void* context, Io& io, Request request) {
  Bench& bench = *static_cast<Bench*>(context);
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
    Bench bench(GetParam(), 3000, read_a_block);
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
  Bench& bench = *static_cast<Bench*>(context);
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
    Bench bench(GetParam(), 400, talk);
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
  Bench& bench = *static_cast<Bench*>(context);
  const auto socket = co_await io.connect(bench.address);
  bench.ended(request, socket);
}

TEST_P(AsyncModels, YieldTheErrorOfAConnectionThatIsRefused) {
  const std::size_t before = descriptors_now();
  {
    Bench bench(GetParam(), 50, connect_to_nobody);
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
  Bench& bench = *static_cast<Bench*>(context);
  Lease lease = io.lease(64);
  ++bench.begun;
  const auto got = co_await io.recv(bench.sockets[request.id], lease.span());
  bench.ended(request, got);
}

TEST_P(AsyncModels, WaitForASocketThatSomeoneMadeNonBlocking) {
  constexpr std::size_t kPairs = 40;
  Bench bench(GetParam(), kPairs, receive_one);
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
  Bench& bench = *static_cast<Bench*>(context);
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
  Bench bench(GetParam(), 3000, pass_the_gate);
  const unsigned executors = bench.model->executors(bench.setup.cpus);
  for (unsigned i = 0; i < executors; ++i) bench.gates.push_back(std::make_unique<Gate>(2));
  bench.start();
  bench.submit_all();
  bench.shutdown_drained();
  bench.expect_each_ended_once();
  EXPECT_LE(bench.most_inside, static_cast<int>(2 * executors));
}

Task<void> hold_the_gate_an_hour(void* context, Io& io, Request request) {
  Bench& bench = *static_cast<Bench*>(context);
  Gate& gate = *bench.gates[io.executor()];
  ++bench.begun;
  const auto entered = co_await io.acquire(gate);
  EXPECT_EQ(entered, 0);
  const auto slept = co_await io.sleep(std::chrono::hours(1));
  gate.release();
  bench.ended(request, slept);
}

TEST_P(AsyncModels, DrainAGateAtShutdownBecauseItsHoldersAreCancelled) {
  Bench bench(GetParam(), 5000, hold_the_gate_an_hour);
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

TEST_P(AsyncModels, ShedPastTheInFlightLimit) {
  Bench bench(GetParam(), 100, sleep_an_hour, {{"in_flight_limit", "10"}});
  bench.start();
  int accepted = 0;
  for (std::uint64_t id = 0; id < 100; ++id) {
    const Refusal refusal = bench.model->submit(Bench::request(id));
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
  Bench bench(GetParam(), 20, sleep_briefly, {{"deadline", "1m"}});
  bench.start();
  for (std::uint64_t id = 0; id < 20; ++id) {
    Request request = Bench::request(id);
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
  Bench& bench = *static_cast<Bench*>(context);
  const auto slept = co_await io.sleep(Nanos(request.seed % 2 * 20'000));
  const std::uint64_t child = request.id + bench.ends.size() / 2;
  if (child < bench.ends.size()) {
    EXPECT_EQ(bench.model->submit(Bench::request(child)), Refusal::none);
    ++bench.begun;
  }
  bench.ended(request, slept);
}

TEST_P(AsyncModels, TakeRequestsThatRequestsSubmit) {
  Bench bench(GetParam(), 4000, submit_another);
  bench.start();
  for (std::uint64_t id = 0; id < 2000; ++id) {
    ASSERT_EQ(bench.model->submit(Bench::request(id)), Refusal::none);
  }
  bench.wait_for(bench.begun, 2000);
  bench.shutdown_drained();
  bench.expect_each_ended_once();
}

Task<void> sleep_until_its_turn(void* context, Io& io, Request request) {
  Bench& bench = *static_cast<Bench*>(context);
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
  Bench bench(GetParam(), 64, sleep_until_its_turn);
  bench.setup.cpus = CpuSet({CpuSet::allowed().list().front()});
  bench.base = Io::now() + 300ms;
  bench.start();
  for (std::uint64_t id = 0; id < 64; ++id) {
    Request request = Bench::request(id);
    request.seed = id * 37 % 64;  // a permutation: 37 and 64 have no common factor
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
    Bench bench(GetParam(), 100'000, round % 2 == 0 ? sleep_briefly : sleep_an_hour);
    bench.start();
    std::atomic<bool> shut{false};
    std::atomic<std::uint64_t> accepted{0};
    std::thread submitter([&] {
      for (std::uint64_t id = 0; id < 100'000; ++id) {
        const Refusal refusal = bench.model->submit(Bench::request(id));
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
    EXPECT_EQ(bench.model->submit(Bench::request(0)), Refusal::shutdown);
    EXPECT_EQ(bench.model->in_flight(), 0U);
  }
}

Task<void> await_a_million_times(void* context, Io& io, Request request) {
  Bench& bench = *static_cast<Bench*>(context);
  std::int64_t sum = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    const auto slept = co_await io.sleep(0ns);
    sum += slept;
  }
  for (int i = 0; i < 2000; ++i) {
    const auto slept = co_await io.sleep(1us);
    sum += slept;
  }
  bench.ended(request, sum);
}

TEST_P(AsyncModels, AwaitAMillionTimesWithoutGrowingTheStack) {
  Bench bench(GetParam(), 1, await_a_million_times);
  bench.start();
  bench.submit_all();
  bench.shutdown_drained();
  bench.expect_each_ended_once();
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
  Bench bench(GetParam(), 200, talk);
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
  Bench bench({"io_uring", io_uring_model, {}}, 1000, talk,
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

INSTANTIATE_TEST_SUITE_P(
    , AsyncModels,
    testing::Values(Variant{"event_loop", event_loop_model, {}},
                    Variant{"event_loop_shared", event_loop_model, {{"contexts", "shared"}}},
                    Variant{"io_uring", io_uring_model, {}}),
    [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace precipice
