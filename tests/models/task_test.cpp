// The coroutine type that every workload is written in.
#include "models/task.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>

#include "models/blocking_io.hpp"
#include "models/job.hpp"
#include "tests/support/sanitized.hpp"

namespace precipice {
namespace {

std::uint64_t plus_one(const void*, std::uint64_t seed) { return seed + 1; }

Task<void> await_completed_operations(Io& io, std::uint64_t* sum) {
  for (int i = 0; i < testing::kManyAwaits; ++i) {
    *sum = co_await io.compute({&plus_one, nullptr, *sum});
  }
}

Task<int> one() { co_return 1; }

Task<void> await_children(std::uint64_t* sum) {
  for (int i = 0; i < testing::kManyAwaits; ++i) {
    const int value = co_await one();
    *sum += static_cast<std::uint64_t>(value);
  }
}

Task<int> compute_one(Io& io) {
  const auto value = co_await io.compute({&plus_one, nullptr, 0});
  co_return static_cast<int>(value);
}

Task<void> await_children_that_await(Io& io, std::uint64_t* sum) {
  for (int i = 0; i < testing::kManyAwaits; ++i) {
    const int value = co_await compute_one(io);
    *sum += static_cast<std::uint64_t>(value);
  }
}

TEST(Task, AwaitsAGreatManyCompletedOperationsOnOneStack) {
  BlockingIo io;
  std::uint64_t sum = 0;
  await_completed_operations(io, &sum).start(nullptr, nullptr);
  EXPECT_EQ(sum, testing::kManyAwaits);
}

TEST(Task, AwaitsAGreatManyChildrenOnOneStack) {
  std::uint64_t sum = 0;
  await_children(&sum).start(nullptr, nullptr);
  EXPECT_EQ(sum, testing::kManyAwaits);
}

TEST(Task, AwaitsAGreatManyChildrenThatAwaitOnOneStack) {
  BlockingIo io;
  std::uint64_t sum = 0;
  await_children_that_await(io, &sum).start(nullptr, nullptr);
  EXPECT_EQ(sum, testing::kManyAwaits);
}

/// Queues every operation and lets the test finish them later.
class LaterIo final : public Io {
 public:
  IoOp* waiting = nullptr;
  void close(int) noexcept override {}
  Lease lease(std::size_t) override { throw std::bad_alloc(); }
  void wake(IoOp& op) noexcept override { op.finish(0); }

 protected:
  Start start(IoOp& op) override {
    waiting = &op;
    return Start::queued;
  }
  void give_back(std::byte*, std::size_t) noexcept override {}
};

Task<std::int64_t> sleep_in_child(Io& io) {
  const auto result = co_await io.sleep(Nanos{1});
  co_return result;
}

Task<void> await_suspending_children(Io& io, int times, std::int64_t* sum) {
  for (int i = 0; i < times; ++i) {
    const auto result = co_await sleep_in_child(io);
    *sum += result;
  }
}

TEST(Task, ResumesAGreatManyTimesThroughAChildThatSuspends) {
  LaterIo io;
  std::int64_t sum = 0;
  bool done = false;
  await_suspending_children(io, testing::kManyAwaits, &sum)
      .start([](void* flag) { *static_cast<bool*>(flag) = true; }, &done);
  for (int i = 0; i < testing::kManyAwaits; ++i) {
    ASSERT_FALSE(done);
    IoOp* op = std::exchange(io.waiting, nullptr);
    ASSERT_NE(op, nullptr);
    op->finish(2);
  }
  EXPECT_TRUE(done);
  EXPECT_EQ(sum, 2 * testing::kManyAwaits);
}

Task<int> throws_after(Io& io) {
  [[maybe_unused]] const auto result = co_await io.sleep(Nanos{1});
  throw std::runtime_error("from the child");
}

Task<void> catches(Io& io, std::string* caught) {
  try {
    [[maybe_unused]] const int value = co_await throws_after(io);
  } catch (const std::runtime_error& error) {
    *caught = error.what();
  }
}

TEST(Task, RethrowsAChildsExceptionInItsParent) {
  LaterIo io;
  std::string caught;
  catches(io, &caught).start(nullptr, nullptr);
  EXPECT_EQ(caught, "");
  io.waiting->finish(0);
  EXPECT_EQ(caught, "from the child");
}

TEST(Task, FreesAFrameThatWasNeverStarted) {
  const Task<int> never = one();  // a leak here fails under AddressSanitizer
}

Task<void> nothing(void*, Io&, Request) { co_return; }

struct Refused {
  Refusal why = Refusal::none;
  std::uint64_t id = 0;
  int done = 0;
};

TEST(Execute, RefusesForMemoryWhenTheFrameCannotBeMade) {
  BlockingIo io;
  Refused refused;
  const Job job{&nothing,
                [](void* context, const Request& request, Refusal why) noexcept {
                  *static_cast<Refused*>(context) = {why, request.id, 0};
                },
                &refused};
  const auto done = [](void* context) { ++static_cast<Refused*>(context)->done; };
  fail_frame_allocation_after(1);
  execute(job, io, {17, 0, {}}, done, &refused);
  EXPECT_EQ(refused.why, Refusal::memory);
  EXPECT_EQ(refused.id, 17u);
  EXPECT_EQ(refused.done, 1);

  execute(job, io, {18, 0, {}}, done, &refused);
  EXPECT_EQ(refused.id, 17u) << "the next one runs";
  EXPECT_EQ(refused.done, 2);
}

}  // namespace
}  // namespace precipice
