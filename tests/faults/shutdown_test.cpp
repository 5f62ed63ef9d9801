// Shutdown at every moment: after so many requests were offered, whatever they are doing then,
// while another thread goes on submitting, twice, never, and before the first. The moment is a
// count and not a time.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include "models/random.hpp"
#include "tests/faults/fault_rig.hpp"

namespace precipice::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kRequests = 48;

Task<Outcome> sleep_an_hour(FaultBench& bench, Io& io, Request request) {
  bench.begun.fetch_add(1);
  const std::int64_t slept = co_await io.sleep(1h);
  co_return slept < 0 ? Outcome::failed(slept) : Outcome::ok(request.seed);
}

Task<Outcome> sleep_in_steps(FaultBench& bench, Io& io, Request request) {
  bench.begun.fetch_add(1);
  for (int i = 0; i < 20; ++i) {
    const std::int64_t slept = co_await io.sleep(Nanos(mix64(request.id + i) % 100'000));
    if (slept < 0) co_return Outcome::failed(slept);
  }
  co_return Outcome::ok(request.seed);
}

Task<Outcome> read_a_file(FaultBench& bench, Io& io, Request request) {
  bench.begun.fetch_add(1);
  const Lease lease = io.lease(4096);
  for (int i = 0; i < 20; ++i) {
    const std::int64_t got = co_await io.read(bench.descriptors[0], lease.span().first(4096), 0);
    if (got < 0) co_return Outcome::failed(got);
  }
  co_return Outcome::ok(request.seed);
}

Task<Outcome> receive_forever(FaultBench& bench, Io& io, Request request) {
  bench.begun.fetch_add(1);
  const Lease lease = io.lease(4096);
  const std::int64_t got = co_await io.recv(bench.descriptors[request.id], lease.span());
  co_return got < 0 ? Outcome::failed(got) : Outcome::ok(request.seed);
}

std::uint64_t spin(const void*, std::uint64_t seed) {
  for (int i = 0; i < 20'000; ++i) seed = mix64(seed);
  return seed;
}
Task<Outcome> compute(FaultBench& bench, Io& io, Request request) {
  bench.begun.fetch_add(1);
  std::uint64_t digest = 0;
  for (std::uint64_t i = 0; i < 5; ++i) {
    const std::uint64_t one = co_await io.compute({&spin, nullptr, request.seed + i});
    digest ^= one;
  }
  co_return Outcome::ok(digest);
}

Task<Outcome> queue_at_a_gate(FaultBench& bench, Io& io, Request request) {
  bench.begun.fetch_add(1);
  const std::int64_t entered = co_await io.acquire(*bench.gate);
  if (entered < 0) co_return Outcome::failed(entered);
  const std::int64_t slept = co_await io.sleep(1h);
  bench.gate->release();
  co_return slept < 0 ? Outcome::failed(slept) : Outcome::ok(request.seed);
}

struct Occupation {
  const char* name;
  Body body;
};
constexpr std::array<Occupation, 6> kOccupations{{{"sleeping", sleep_an_hour},
                                                  {"between sleeps", sleep_in_steps},
                                                  {"reading", read_a_file},
                                                  {"on sockets", receive_forever},
                                                  {"computing", compute},
                                                  {"at a gate", queue_at_a_gate}}};

class FaultsShutdown : public ::testing::TestWithParam<FaultVariant> {
 protected:
  /// What the occupations need.
  void equip(FaultBench& bench, Body body) {
    if (body == receive_forever) {
      for (std::uint64_t i = 0; i < kRequests; ++i) {
        int pair[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        bench.descriptors.push_back(pair[0]);
        peers_.push_back(pair[1]);
      }
    } else if (body == read_a_file) {
      std::string path = ::testing::TempDir() + "precipice-shutdown-XXXXXX";
      const int file = ::mkostemp(path.data(), O_CLOEXEC);
      ASSERT_GE(file, 0);
      ::unlink(path.c_str());
      ASSERT_EQ(::ftruncate(file, 8192), 0);
      bench.descriptors.push_back(file);
    } else if (body == queue_at_a_gate) {
      bench.setup.cpus = CpuSet({CpuSet::of_this_thread().list().front()});
      bench.gate = std::make_unique<Gate>(1);
    }
  }
  void put_away(FaultBench& bench) {
    bench.model.reset();
    for (const int each : bench.descriptors) ::close(each);
    for (const int each : peers_) ::close(each);
    bench.descriptors.clear();
    peers_.clear();
  }

 private:
  std::vector<int> peers_;
};

TEST_P(FaultsShutdown, AfterAnyNumberOfRequestsEndsThemAll) {
  for (const Occupation& each : kOccupations) {
    for (const std::uint64_t moment : {0, 1, 2, 3, 5, 9, 20, 48}) {
      // inline has its submitter inside the request, so it never comes past the first that waits.
      if (GetParam().runs_in_submit() && moment > 1) continue;
      SCOPED_TRACE(std::string(each.name) + ", after " + std::to_string(moment));
      FaultBench bench(GetParam(), kRequests, each.body);
      equip(bench, each.body);
      bench.start();
      std::thread submitter([&bench] { bench.submit_all(); });
      FaultBench::wait_for(bench.offered, moment);
      if (moment % 2 == 0) {
        bench.shutdown_now();
      } else {
        bench.model->shutdown(Io::now() + 300us);
      }
      submitter.join();
      const Ends ends = bench.ends();
      for (const auto& [error, count] : ends.errors) EXPECT_EQ(error, ECANCELED) << count;
      for (const auto& [why, count] : ends.reasons) {
        EXPECT_EQ(why, Refusal::shutdown) << to_string(why) << ' ' << count;
      }
      bench.shutdown_now();  // a second time changes nothing
      put_away(bench);
    }
  }
}

TEST_P(FaultsShutdown, WhenSomeHaveBegunCancelsThoseAndRefusesTheRest) {
  for (const Occupation& each : kOccupations) {
    if (each.body == sleep_in_steps || each.body == read_a_file || each.body == compute) continue;
    SCOPED_TRACE(each.name);
    FaultBench bench(GetParam(), kRequests, each.body);
    equip(bench, each.body);
    bench.start();
    std::thread submitter([&bench] { bench.submit_all(); });
    FaultBench::wait_for(bench.begun, 1);
    bench.shutdown_now();
    submitter.join();
    const Ends ends = bench.ends();
    EXPECT_EQ(ends.completed, 0U);
    EXPECT_EQ(ends.failed, bench.begun.load());
    EXPECT_EQ(ends.shed, kRequests - bench.begun.load());
    put_away(bench);
  }
}

TEST_P(FaultsShutdown, NeverAskedForHappensOnDestruction) {
  for (const Occupation& each : kOccupations) {
    SCOPED_TRACE(each.name);
    FaultBench bench(GetParam(), kRequests, each.body);
    equip(bench, each.body);
    bench.start();
    if (!GetParam().runs_in_submit()) bench.submit_range(0, 7);
    bench.model.reset();
    std::uint64_t ended = 0;
    for (std::size_t id = 0; id < kRequests; ++id) ended += bench.slots[id].ends.load();
    EXPECT_EQ(ended, bench.offered.load());
    EXPECT_EQ(bench.in_flight.in_flight(), 0);
    put_away(bench);
  }
}

TEST_P(FaultsShutdown, BeforeTheFirstRequestAndBeforeStartIsHarmless) {
  for (const bool started : {false, true}) {
    FaultBench bench(GetParam(), kRequests, compute);
    if (started) bench.start();
    bench.shutdown_now();
    bench.shutdown_now();
    bench.submit_all();
    EXPECT_EQ(bench.ends().reasons.at(Refusal::shutdown), kRequests);
    EXPECT_FALSE(bench.model->stats().empty() && started);
  }
}

TEST_P(FaultsShutdown, WhileSeveralThreadsSubmitLosesNothing) {
  constexpr std::uint64_t kMany = 6'000;
  for (const std::uint64_t moment : {1, 100, 2'000}) {
    FaultBench bench(GetParam(), kMany, compute);
    bench.start();
    std::array<std::thread, 3> submitters;
    for (std::uint64_t i = 0; i < submitters.size(); ++i) {
      submitters[i] = std::thread([&bench, i] {
        for (std::uint64_t id = i; id < kMany; id += 3) {
          if (bench.submit(id) == Refusal::shutdown) return;
        }
      });
    }
    FaultBench::wait_for(bench.offered, moment);
    bench.shutdown_now();
    for (std::thread& each : submitters) each.join();
    bench.ends();
  }
}

INSTANTIATE_TEST_SUITE_P(All, FaultsShutdown, ::testing::ValuesIn(fault_variants()), fault_label);

}  // namespace
}  // namespace precipice::testing
