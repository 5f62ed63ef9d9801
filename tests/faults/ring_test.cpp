// What only a ring can meet: kernels that know fewer flags, queues that are too small or answer
// EBUSY, registrations that are refused, and a system that forbids it altogether.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include "models/random.hpp"
#include "models/ring_setup.hpp"
#include "tests/faults/fault_hooks.hpp"
#include "tests/faults/fault_rig.hpp"
#include "tests/support/process_entries.hpp"

namespace precipice::testing {
namespace {

using namespace std::chrono_literals;

const FaultVariant kRing{"io_uring", "io_uring"};

/// A kernel as the ring's set-up sees it.
struct Kernel {
  const char* name;
  unsigned known_flags;
  unsigned features;
  unsigned setups_refused;  ///< per ring
};
constexpr unsigned kOld = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
constexpr unsigned kCooperative =
    kOld | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL;
constexpr Kernel kKernels[] = {
    {"of_today", ~0U, ~0U, 0},
    {"before_6_1", kCooperative, ~0U, 1},
    {"before_5_19", kOld, ~0U, 2},
    // Without timeouts as arguments of the wait (5.11): liburing then submits one of its own.
    {"of_5_7", kOld, IORING_FEAT_NODROP | IORING_FEAT_FAST_POLL | IORING_FEAT_SINGLE_MMAP, 2},
};

class FaultsRing : public ::testing::TestWithParam<Kernel> {
 protected:
  void SetUp() override {
    if (const auto reason = model_named("io_uring").unavailable()) GTEST_SKIP() << *reason;
    faults->known_flags = GetParam().known_flags;
    faults->features = GetParam().features;
    std::string path = ::testing::TempDir() + "precipice-ring-XXXXXX";
    file_ = ::mkostemp(path.data(), O_CLOEXEC);
    ASSERT_GE(file_, 0);
    ::unlink(path.c_str());
    std::vector<std::uint64_t> words(512);
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = mix64(i);
    ASSERT_EQ(::write(file_, words.data(), 4096), 4096);
  }
  void TearDown() override {
    for (const int each : sockets_) ::close(each);
    if (file_ >= 0) ::close(file_);
  }
  /// descriptors[0] is the file; then a pair of sockets for each request.
  void equip(FaultBench& bench) {
    bench.descriptors = {file_};
    for (std::size_t i = 0; i < bench.slots.size(); ++i) {
      int pair[2];
      ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
      sockets_.insert(sockets_.end(), pair, pair + 2);
      bench.descriptors.insert(bench.descriptors.end(), pair, pair + 2);
    }
  }

  RingFaultsScope faults;
  int file_ = -1;
  std::vector<int> sockets_;
};

/// Reads, sends, receives and sleeps; the digest is of what was read.
Task<Outcome> everything(FaultBench& bench, Io& io, Request request) {
  const int* pair = &bench.descriptors[1 + 2 * request.id];
  const Lease lease = io.lease(4096);
  const std::int64_t got = co_await io.read(bench.descriptors[0], lease.span().first(4096), 0);
  if (got != 4096) co_return Outcome::failed(got < 0 ? got : EIO);
  const std::uint64_t word =
      reinterpret_cast<const std::uint64_t*>(lease.span().data())[request.id % 512];
  const std::int64_t sent = co_await io.send(pair[0], lease.span().first(32));
  if (sent != 32) co_return Outcome::failed(sent < 0 ? sent : EPIPE);
  const std::int64_t slept = co_await io.sleep(100us);
  if (slept < 0) co_return Outcome::failed(slept);
  const std::int64_t received = co_await io.recv(pair[1], lease.span());
  if (received != 32) co_return Outcome::failed(received < 0 ? received : ENODATA);
  co_return Outcome::ok(word);
}

Task<Outcome> receive_one(FaultBench& bench, Io& io, Request request) {
  const Lease lease = io.lease(64);
  bench.begun.fetch_add(1);
  const std::int64_t got = co_await io.recv(bench.descriptors[1 + 2 * request.id], lease.span());
  co_return got == 1 ? Outcome::ok(request.seed) : Outcome::failed(got < 0 ? got : ENODATA);
}

void expect_words(const FaultBench& bench) {
  for (std::size_t id = 0; id < bench.slots.size(); ++id) {
    EXPECT_EQ(bench.slots[id].digest, mix64(id % 512)) << "request " << id;
  }
}

TEST_P(FaultsRing, EveryKernelThatItFallsBackToServesTheSame) {
  FaultBench bench(kRing, 300, everything);
  equip(bench);
  bench.setup.files = {file_};
  bench.start();
  const auto rings = static_cast<unsigned>(bench.setup.cpus.size());
  EXPECT_EQ(faults->setups_refused.load(), GetParam().setups_refused * rings);
  bench.submit_all();
  bench.shutdown_drained();
  EXPECT_EQ(bench.ends().completed, 300U);
  expect_words(bench);
  // What was done without is published.
  unsigned fallbacks = 0;
  for (const auto& [key, value] : bench.model->stats())
    fallbacks += key.starts_with("fallback: no ");
  EXPECT_EQ(fallbacks, GetParam().setups_refused);
  const auto flags = static_cast<unsigned>(bench.stat("setup_flags"));
  EXPECT_EQ(flags & ~GetParam().known_flags, 0U);
  EXPECT_EQ((flags & IORING_SETUP_DEFER_TASKRUN) != 0, GetParam().setups_refused == 0);
  EXPECT_EQ(bench.stat("enter_errors"), 0);
}

TEST_P(FaultsRing, ShutdownCancelsWhatWaitsInTheKernel) {
  FaultBench bench(kRing, 200, receive_one, {{"entries", "8"}});
  equip(bench);
  bench.start();
  bench.submit_all();
  FaultBench::wait_for(bench.begun, 100);
  bench.shutdown_now();
  const Ends ends = bench.ends();
  EXPECT_EQ(ends.completed, 0U);
  EXPECT_EQ(ends.failed + ends.shed, 200U);
  EXPECT_EQ(ends.failed, bench.begun.load());
}

TEST_P(FaultsRing, ACompletionQueueThatOverflowsIsCountedAndLosesNothing) {
  faults->completions = 16;
  FaultBench bench(kRing, 400, receive_one, {{"entries", "8"}});
  bench.setup.cpus = CpuSet({CpuSet::of_this_thread().list().front()});
  equip(bench);
  bench.start();
  bench.submit_all();
  FaultBench::wait_for(bench.begun, 400);
  // All become ready while the ring's thread is inside one request, or nearly so.
  for (std::size_t id = 0; id < 400; ++id) {
    const char byte = 1;
    ASSERT_EQ(::send(bench.descriptors[2 + 2 * id], &byte, 1, MSG_NOSIGNAL), 1);
  }
  bench.shutdown_drained();
  EXPECT_EQ(bench.ends().completed, 400U);
  EXPECT_EQ(bench.stat("cq_dropped"), 0);
  EXPECT_GT(bench.stat("sq_full"), 0);
}

TEST_P(FaultsRing, AnEnterThatIsBusyOrInterruptedIsRepeated) {
  for (const int error : {EBUSY, EAGAIN, EINTR, ENOMEM}) {
    SCOPED_TRACE(error);
    FaultBench bench(kRing, 200, everything, {{"entries", "8"}});
    equip(bench);
    bench.start();
    faults->enter_error = error;
    faults->enter_every = 3;
    bench.submit_all();
    bench.shutdown_drained();
    EXPECT_GT(faults->enters_failed.load(), 0U);
    faults->enter_every = 0;
    EXPECT_EQ(bench.ends().completed, 200U);
    expect_words(bench);
    EXPECT_EQ(bench.stat("enter_errors") > 0, error == ENOMEM);
    bench.model.reset();
    for (const int each : sockets_) ::close(each);
    sockets_.clear();
  }
}

TEST_P(FaultsRing, RegistrationsThatAreRefusedAreSaidAndNotNeeded) {
  faults->register_error = ENOMEM;
  FaultBench bench(kRing, 200, everything);
  equip(bench);
  bench.setup.files = {file_};
  bench.start();
  bench.submit_all();
  bench.shutdown_drained();
  EXPECT_EQ(bench.ends().completed, 200U);
  expect_words(bench);
  EXPECT_EQ(bench.stat("fixed_reads"), 0);
  for (const char* what : {"io-wq workers not capped", "io-wq workers not pinned",
                           "files not registered", "buffers not registered"}) {
    bool said = false;
    for (const auto& [key, value] : bench.model->stats()) {
      said |= key.find(what) != std::string::npos;
    }
    EXPECT_TRUE(said) << what;
  }
}

INSTANTIATE_TEST_SUITE_P(Kernel, FaultsRing, ::testing::ValuesIn(kKernels),
                         [](const auto& each) { return std::string(each.param.name); });

// Requests that compute while completions pile up, so that the small queue must overflow: the
// ring's thread is in the first request until all others are ready.
Task<Outcome> hold_then_receive(FaultBench& bench, Io& io, Request request) {
  bench.begun.fetch_add(1);
  if (request.id == 0) {
    const std::uint64_t held =
        co_await io.compute({[](const void* self, std::uint64_t) -> std::uint64_t {
                               auto& waiting = *static_cast<const FaultBench*>(self);
                               while (!waiting.ready[0].load()) std::this_thread::sleep_for(200us);
                               return 7;
                             },
                             &bench, 0});
    co_return Outcome::ok(held);
  }
  const Lease lease = io.lease(64);
  const std::int64_t got = co_await io.recv(bench.descriptors[2 * request.id], lease.span());
  co_return got == 1 ? Outcome::ok(request.seed) : Outcome::failed(got < 0 ? got : ENODATA);
}

TEST(FaultsRingQueues, OverflowsAreSeenAndPublished) {
  if (const auto reason = model_named("io_uring").unavailable()) GTEST_SKIP() << *reason;
  constexpr std::size_t kRequests = 200;
  const RingFaultsScope faults;
  faults->completions = 16;
  FaultBench bench(kRing, kRequests, hold_then_receive, {{"entries", "8"}});
  bench.setup.cpus = CpuSet({CpuSet::of_this_thread().list().front()});
  bench.descriptors.resize(2 * kRequests);
  for (std::size_t i = 0; i < kRequests; ++i) {
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, &bench.descriptors[2 * i]), 0);
  }
  bench.start();
  bench.submit_range(1, kRequests);
  FaultBench::wait_for(bench.begun, kRequests - 1);
  bench.submit(0);
  FaultBench::wait_for(bench.begun, kRequests);
  for (std::size_t id = 1; id < kRequests; ++id) {
    const char byte = 1;
    ASSERT_EQ(::send(bench.descriptors[2 * id + 1], &byte, 1, MSG_NOSIGNAL), 1);
  }
  bench.ready[0] = true;
  bench.shutdown_drained();
  EXPECT_EQ(bench.ends().completed, kRequests);
  EXPECT_GT(bench.stat("cq_overflows"), 0);
  EXPECT_EQ(bench.stat("cq_dropped"), 0);
  bench.model.reset();
  for (const int each : bench.descriptors) ::close(each);
}

TEST(FaultsRingSetup, SaysWhyThereIsNoRing) {
  struct Case {
    int error;
    const char* cure;
  };
  for (const Case& each : {Case{ENOSYS, "kernel"}, Case{EPERM, "io_uring"}, Case{EACCES, "seccomp"},
                           Case{ENOMEM, "ulimit -l"}, Case{EMFILE, "ulimit -n"},
                           Case{ENFILE, "ulimit -n"}, Case{EINVAL, "io_uring_setup"}}) {
    const RingFaultsScope faults;
    faults->setup_error = each.error;
    const auto reason = ring_unavailable();
    ASSERT_TRUE(reason.has_value()) << each.error;
    EXPECT_NE(reason->find(each.cure), std::string::npos) << *reason;
    FaultBench bench(kRing, 5, receive_one);
    const std::size_t descriptors = descriptors_now();
    EXPECT_THROW(bench.start(), Unavailable);
    EXPECT_EQ(bench.submit(0), Refusal::shutdown);
    EXPECT_EQ(bench.ends().shed, 1U);
    bench.model.reset();
    EXPECT_EQ(descriptors_now(), descriptors);
  }
}

TEST(FaultsRingSetup, RefusesAKernelThatWouldNeedAThreadForEverySocket) {
  const RingFaultsScope faults;
  faults->features = IORING_FEAT_NODROP;
  const auto reason = ring_unavailable();
  ASSERT_TRUE(reason.has_value());
  EXPECT_NE(reason->find("5.7"), std::string::npos) << *reason;
}

}  // namespace
}  // namespace precipice::testing
