// Signals whose handler is installed without SA_RESTART, sent to every thread of the process again
// and again: each system call may answer EINTR, and no request may notice.
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "models/random.hpp"
#include "tests/faults/fault_rig.hpp"

namespace precipice::testing {
namespace {

using namespace std::chrono_literals;

std::atomic<std::uint64_t> handled{0};

/// Interrupts every other thread of the process until destroyed.
class Hammer {
 public:
  Hammer() {
    struct sigaction action = {};
    action.sa_handler = [](int) { handled.fetch_add(1); };
    sigemptyset(&action.sa_mask);
    // For good: a signal may be on its way to a thread that has no CPU yet.
    sigaction(SIGUSR1, &action, nullptr);
    handled = 0;
    thread_ = std::thread([this] { strike(); });
  }
  Hammer(const Hammer&) = delete;
  Hammer& operator=(const Hammer&) = delete;
  ~Hammer() {
    over_ = true;
    thread_.join();
  }

 private:
  void strike() {
    const pid_t self = ::gettid();
    while (!over_.load()) {
      DIR* tasks = ::opendir("/proc/self/task");
      while (const dirent* each = ::readdir(tasks)) {
        const auto thread = static_cast<pid_t>(std::atoi(each->d_name));
        if (thread > 0 && thread != self) ::syscall(SYS_tgkill, ::getpid(), thread, SIGUSR1);
      }
      ::closedir(tasks);
      std::this_thread::sleep_for(30us);
    }
  }

  std::atomic<bool> over_{false};
  std::thread thread_;
};

constexpr std::uint64_t kRequests = 150;

std::uint64_t spin(const void*, std::uint64_t seed) {
  for (int i = 0; i < 2'000; ++i) seed = mix64(seed);
  return seed;
}

/// A bit of everything: computes, sleeps, reads, waits for a socket, receives.
Task<Outcome> everything(FaultBench& bench, Io& io, Request request) {
  const int* pair = &bench.descriptors[1 + 2 * request.id];
  const Lease lease = io.lease(4096);
  const std::uint64_t digest = co_await io.compute({&spin, nullptr, request.seed});
  const std::int64_t slept = co_await io.sleep(200us);
  if (slept != 0) co_return Outcome::failed(slept);
  const std::int64_t got = co_await io.read(bench.descriptors[0], lease.span(), 0);
  if (got != 4096) co_return Outcome::failed(got < 0 ? got : EIO);
  const std::int64_t sent = co_await io.send(pair[0], lease.span().first(64));
  if (sent != 64) co_return Outcome::failed(sent < 0 ? sent : EPIPE);
  const std::int64_t received = co_await io.recv(pair[1], lease.span());
  if (received != 64) co_return Outcome::failed(received < 0 ? received : ENODATA);
  bench.ready[request.id] = true;
  bench.begun.fetch_add(1);
  // Nothing there yet: this one waits until the test sends.
  const std::int64_t late = co_await io.recv(pair[1], lease.span());
  if (late != 1) co_return Outcome::failed(late < 0 ? late : ENODATA);
  co_return Outcome::ok(digest);
}

class FaultsSignals : public ::testing::TestWithParam<FaultVariant> {};

TEST_P(FaultsSignals, InterruptEverySystemCallAndNoRequestNotices) {
  FaultBench bench(GetParam(), kRequests, everything);
  std::string path = ::testing::TempDir() + "precipice-signals-XXXXXX";
  bench.descriptors.push_back(::mkostemp(path.data(), O_CLOEXEC));
  ::unlink(path.c_str());
  ASSERT_EQ(::ftruncate(bench.descriptors[0], 4096), 0);
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    bench.descriptors.insert(bench.descriptors.end(), pair, pair + 2);
  }
  {
    const Hammer hammer;
    bench.start();
    // Answers as many as have come to their last wait; which, their order does not tell.
    std::thread answers([&bench] {
      for (std::uint64_t answered = 0; answered < kRequests;) {
        FaultBench::wait_for(bench.begun, answered + 1);
        for (std::uint64_t id = 0; id < kRequests; ++id) {
          if (!bench.ready[id].exchange(false)) continue;
          const char byte = 1;
          while (::send(bench.descriptors[1 + 2 * id], &byte, 1, MSG_NOSIGNAL) < 0 &&
                 errno == EINTR) {
          }
          ++answered;
        }
      }
    });
    bench.submit_all();
    answers.join();
    bench.wait_ended(kRequests);
    FaultBench::wait_for(handled, 200);
    bench.shutdown_drained();
  }
  EXPECT_EQ(bench.ends().completed, kRequests);
  for (std::uint64_t id = 0; id < kRequests; ++id) {
    EXPECT_EQ(bench.slots[id].digest, spin(nullptr, id));
  }
  bench.model.reset();
  for (const int each : bench.descriptors) ::close(each);
}

TEST_P(FaultsSignals, DoNotKeepAModelFromEnding) {
  FaultBench bench(GetParam(), 40, [](FaultBench& self, Io& io, Request) -> Task<Outcome> {
    self.begun.fetch_add(1);
    const std::int64_t slept = co_await io.sleep(1h);
    co_return Outcome::failed(slept);
  });
  const Hammer hammer;
  bench.start();
  std::thread submitter([&bench] { bench.submit_all(); });
  FaultBench::wait_for(bench.begun, 1);
  FaultBench::wait_for(handled, 100);
  bench.shutdown_now();
  submitter.join();
  const Ends ends = bench.ends();
  EXPECT_EQ(ends.errors, (std::map<int, std::uint64_t>{{ECANCELED, bench.begun.load()}}));
}

INSTANTIATE_TEST_SUITE_P(All, FaultsSignals, ::testing::ValuesIn(fault_variants()), fault_label);

}  // namespace
}  // namespace precipice::testing
