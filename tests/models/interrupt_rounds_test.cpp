// Shutdown interrupts the threads that execute a request and no idle one, and leaves them a gap as
// long as a round of interrupts took. The tests count signals.
#include "models/interrupt_rounds.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "models/model.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

constexpr int kRequests = 3;

std::atomic<int> of_executing{0}, of_idle{0};
thread_local volatile std::sig_atomic_t executes = 0;

/// Counts interrupts for the life of this object.
class CountedInterrupts {
 public:
  CountedInterrupts() {
    install_interrupt_signal();  // a model's start must not replace the handler
    of_executing = of_idle = 0;
    struct sigaction counting = {};
    counting.sa_handler = [](int) { (executes != 0 ? of_executing : of_idle).fetch_add(1); };
    sigaction(kInterruptSignal, &counting, &before_);
  }
  ~CountedInterrupts() { sigaction(kInterruptSignal, &before_, nullptr); }

 private:
  struct sigaction before_ = {};
};

/// Requests that no interrupt ends: each runs until the door opens.
struct HeldRequests {
  static Task<void> run(void* self, Io&, Request) {
    auto& held = *static_cast<HeldRequests*>(self);
    executes = 1;
    held.begun.fetch_add(1);
    while (!held.door.load()) std::this_thread::yield();
    executes = 0;
    co_return;
  }
  static void refuse(void*, const Request&, Refusal) noexcept {}

  std::atomic<int> begun{0};
  std::atomic<bool> door{false};
};

struct Variant {
  std::string model;
  std::map<std::string, std::string> options;
};

class InterruptRounds : public testing::TestWithParam<Variant> {};

TEST_P(InterruptRounds, ReachTheThreadsThatExecuteAndNoIdleOne) {
  const CountedInterrupts counted;
  HeldRequests held;
  const ModelInfo& info = model_named(GetParam().model);
  const auto model = info.make(Options(info.name, info.options, GetParam().options));
  ModelSetup setup;
  setup.cpus = CpuSet::of_this_thread();
  setup.job = {&HeldRequests::run, &HeldRequests::refuse, &held};
  model->start(setup);
  std::vector<std::thread> submitters;  // inline runs a request inside submit
  for (std::uint64_t id = 0; id < kRequests; ++id) {
    submitters.emplace_back([&model, id] {
      EXPECT_EQ(model->submit({.id = id, .intended = Io::now()}), Refusal::none);
    });
  }
  while (held.begun.load() < kRequests) std::this_thread::sleep_for(1ms);
  std::thread stopping([&model] { model->shutdown(Io::now()); });
  while (of_executing.load() < 5 * kRequests) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(of_idle.load(), 0);
  held.door = true;
  stopping.join();
  for (std::thread& submitter : submitters) submitter.join();
  EXPECT_EQ(model->in_flight(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    All, InterruptRounds,
    testing::Values(Variant{"fixed_pool", {{"threads", "32"}}},
                    Variant{"fixed_pool", {{"threads", "32"}, {"queue", "lockfree"}}},
                    Variant{"fixed_pool", {{"threads", "32"}, {"queue", "per_worker"}}},
                    Variant{"work_stealing", {{"threads", "8"}, {"io", "block"}}},
                    Variant{"thread_per_request", {}}, Variant{"inline", {}}),
    [](const testing::TestParamInfo<Variant>& each) {
      std::string name = each.param.model;
      if (const auto queue = each.param.options.find("queue"); queue != each.param.options.end())
        name += "_" + queue->second;
      return name;
    });

TEST(Interrupts, AreFollowedByAGapOfTheirOwnLength) {
  EXPECT_EQ(gap_after_interrupts(10us), Nanos(2ms));
  EXPECT_EQ(gap_after_interrupts(600ms), Nanos(600ms));

  Admission admission(1);
  admission.open();
  ASSERT_EQ(admission.enter(), Refusal::none);
  admission.close();
  struct Round {
    Time began, ended;
  };
  std::vector<Round> rounds;
  interrupt_until_empty(admission, [&] {
    const Time began = Io::now();
    std::this_thread::sleep_for(5ms);
    rounds.push_back({began, Io::now()});
    if (rounds.size() == 3) admission.leave();
  });
  ASSERT_EQ(rounds.size(), 3U);
  for (std::size_t i = 1; i < rounds.size(); ++i) {
    EXPECT_GE(rounds[i].began - rounds[i - 1].ended, rounds[i - 1].ended - rounds[i - 1].began);
  }
}

}  // namespace
}  // namespace precipice
