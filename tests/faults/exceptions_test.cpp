// A request that throws: before its first await, after one, from a child, from its computation, and
// while it holds a permit and memory. It fails with an errno and is counted; nobody else notices.
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <new>
#include <stdexcept>
#include <system_error>

#include "models/task.hpp"
#include "tests/faults/fault_rig.hpp"
#include "workloads/connections.hpp"

namespace precipice::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kRequests = 60;
bool throws(const Request& request) { return request.id % 3 == 1; }
constexpr std::uint64_t kThrowing = kRequests / 3;

struct NoException {};

enum Kind : int { standard, foreign, memory, system };

void throw_kind(int kind) {
  switch (kind) {
    case standard:
      throw std::runtime_error("as the test asked");
    case memory:
      throw std::bad_alloc();
    case system:
      throw std::system_error(EHOSTDOWN, std::generic_category());
    default:
      throw NoException{};
  }
}
int error_of(int kind) {
  return kind == memory ? ENOMEM : kind == system ? EHOSTDOWN : ENOTRECOVERABLE;
}

Task<Outcome> before_first_await(FaultBench& bench, Io& io, Request request) {
  if (throws(request)) throw_kind(bench.mode);
  const std::int64_t slept = co_await io.sleep(50us);
  co_return slept < 0 ? Outcome::failed(slept) : Outcome::ok(request.seed);
}

Task<Outcome> after_await(FaultBench& bench, Io& io, Request request) {
  const std::int64_t slept = co_await io.sleep(200us);
  if (slept < 0) co_return Outcome::failed(slept);
  if (throws(request)) throw_kind(bench.mode);
  const std::int64_t again = co_await io.sleep(50us);
  co_return again < 0 ? Outcome::failed(again) : Outcome::ok(request.seed);
}

Task<std::uint64_t> grandchild(FaultBench& bench, Io& io, Request request) {
  const std::int64_t slept = co_await io.sleep(100us);
  if (throws(request)) throw_kind(bench.mode);
  co_return request.seed + static_cast<std::uint64_t>(slept);
}
Task<std::uint64_t> child(FaultBench& bench, Io& io, Request request) {
  const std::uint64_t value = co_await grandchild(bench, io, request);
  co_return value;
}
Task<Outcome> from_child(FaultBench& bench, Io& io, Request request) {
  const std::uint64_t value = co_await child(bench, io, request);
  co_return Outcome::ok(value);
}

std::uint64_t compute_that_throws(const void* kind, std::uint64_t seed) {
  if (seed % 3 == 1) throw_kind(*static_cast<const int*>(kind));
  return seed;
}
Task<Outcome> from_compute(FaultBench& bench, Io& io, Request request) {
  const std::uint64_t value = co_await io.compute({&compute_that_throws, &bench.mode, request.id});
  co_return Outcome::ok(value);
}

// One permit for all: whoever throws with it in hand must have given it back.
Task<Outcome> as_holder(FaultBench& bench, Io& io, Request request) {
  const std::int64_t entered = co_await io.acquire(*bench.gate);
  if (entered < 0) co_return Outcome::failed(entered);
  const Permit permit(*bench.gate);
  const Lease lease = io.lease(8192);
  lease.span()[0] = std::byte{1};
  const std::int64_t slept = co_await io.sleep(20us);
  if (throws(request)) throw_kind(bench.mode);
  co_return slept < 0 ? Outcome::failed(slept) : Outcome::ok(request.seed);
}

class FaultsExceptions : public ::testing::TestWithParam<FaultVariant> {
 protected:
  static void run(Body body) {
    for (const int kind : {standard, foreign, memory, system}) {
      FaultBench bench(GetParam(), kRequests, body);
      bench.mode = kind;
      // A gate belongs to one executor.
      bench.setup.cpus = CpuSet({CpuSet::of_this_thread().list().front()});
      bench.gate = std::make_unique<Gate>(1);
      bench.start();
      bench.submit_all();
      bench.shutdown_drained();
      const Ends ends = bench.ends();
      EXPECT_EQ(ends.completed, kRequests - kThrowing);
      EXPECT_EQ(ends.errors, (std::map<int, std::uint64_t>{{error_of(kind), kThrowing}}));
      for (std::size_t id = 0; id < kRequests; ++id) {
        EXPECT_EQ(bench.slots[id].end, throws({id, 0, {}}) ? End::failed : End::completed) << id;
      }
    }
  }
};

TEST_P(FaultsExceptions, BeforeTheFirstAwaitFailTheRequest) { run(before_first_await); }
TEST_P(FaultsExceptions, AfterAnAwaitFailTheRequest) { run(after_await); }
TEST_P(FaultsExceptions, FromAChildOfAChildFailTheRequest) { run(from_child); }
TEST_P(FaultsExceptions, FromTheComputationFailTheRequest) { run(from_compute); }
TEST_P(FaultsExceptions, GiveBackThePermitAndTheMemoryTheyHeld) { run(as_holder); }

INSTANTIATE_TEST_SUITE_P(All, FaultsExceptions, ::testing::ValuesIn(fault_variants()), fault_label);

}  // namespace
}  // namespace precipice::testing
