// The meter of attempts: both of its records of how long they execute, and what a fault shows.
#include "models/policies/attempt_meter.hpp"

#include <gtest/gtest.h>

#include <coroutine>
#include <memory>
#include <vector>

#include "harness/trial/gates.hpp"
#include "models/no_io.hpp"

namespace precipice {
namespace {

Time at(std::int64_t ns) { return Time(Nanos(ns)); }

/// A clock that a test sets.
class SetClock final : public Timeline {
 public:
  Time now() const noexcept override { return now_; }
  bool at(Time, const Timer&) noexcept override { return false; }
  void drop(const void*) noexcept override {}
  bool wait_until(Time, const std::function<bool()>&) override { return false; }
  void set(std::int64_t ns) { now_ = precipice::at(ns); }

 private:
  Time now_{};
};

/// Executes each attempt at once, `times` times where once is right.
class AtOnce final : public Model {
 public:
  explicit AtOnce(int times) : times_(times) {}
  unsigned executors(const CpuSet&) const override { return 1; }
  void start(const ModelSetup& setup) override { job_ = setup.job; }
  Refusal submit(const Request& request) noexcept override {
    for (int i = 0; i < times_; ++i) execute(job_, io_, request, nullptr, nullptr);
    return Refusal::none;
  }
  void shutdown(Time) noexcept override {}
  std::uint64_t in_flight() const noexcept override { return 0; }
  ModelStats stats() const override { return {}; }

 private:
  const int times_;
  Job job_;
  NoIo io_;
};

/// A meter over a model, and a job whose attempts wait until a test ends them.
class Metered {
 public:
  explicit Metered(int times = 1) : meter_(std::make_unique<AtOnce>(times), clock_) {
    ModelSetup setup;
    setup.job.context = this;
    setup.job.attempt = &Metered::attempt;
    setup.job.end = [](void*, const Request&, const Outcome&) noexcept { return true; };
    meter_.set_window(at(200), at(1200));
    meter_.start(setup);
  }
  void submit(std::int64_t ns) {
    clock_.set(ns);
    EXPECT_EQ(meter_.submit({.id = waiting_.size(), .intended = at(500)}), Refusal::none);
  }
  void end(std::size_t which, std::int64_t ns) {
    clock_.set(ns);
    waiting_.at(which).resume();
  }
  const AttemptMeter& meter() const { return meter_; }
  Trial judged() const {
    Trial trial;
    GateInput input;
    trial.attempts = meter_.inside_window();
    input.attempts_executed = meter_.execution();
    apply_gates_of_counts(input, trial);
    return trial;
  }

 private:
  struct Hold {
    std::vector<std::coroutine_handle<>>& waiting;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> who) { waiting.push_back(who); }
    void await_resume() const noexcept {}
  };
  static Task<Outcome> attempt(void* self, Io&, Request) {
    co_await Hold{static_cast<Metered*>(self)->waiting_};
    co_return Outcome::ok(1);
  }

  SetClock clock_;
  std::vector<std::coroutine_handle<>> waiting_;
  AttemptMeter meter_;
};

bool says(const Trial& trial, TrialGate gate, const char* words) {
  for (const InvalidReason& reason : trial.invalid_reasons) {
    if (reason.gate == gate && reason.text.find(words) != std::string::npos) return true;
  }
  return false;
}

TEST(AttemptMeter, AddsUpTheSameTimesInBothOfItsRecords) {
  Metered metered;
  metered.submit(100);
  metered.submit(300);
  metered.end(0, 1000);
  metered.end(1, 1500);
  const AttemptExecution both = metered.meter().execution();
  EXPECT_EQ(both.stamps_ns, 900 + 1200);
  EXPECT_EQ(both.integral_ns, 900 + 1200);
  EXPECT_EQ(both.executing, 0);
  const AttemptFigures figures = metered.meter().inside_window();
  EXPECT_EQ(figures.won, 2U);
  EXPECT_EQ(figures.execution_mean_ns, 1050);
  // From 200 to 1200: the first for 800, the second for 900.
  EXPECT_EQ(figures.executing_mean, 1.7);
  const Trial trial = metered.judged();
  EXPECT_TRUE(trial.valid);
  EXPECT_EQ(trial.attempts->little_error, 0);
}

TEST(AttemptMeter, ShowsAnAttemptWhoseExecutionIsLost) {
  Metered metered;
  metered.submit(100);
  metered.submit(300);
  metered.end(0, 1000);
  EXPECT_EQ(metered.meter().execution().executing, 1);
  const Trial trial = metered.judged();
  EXPECT_TRUE(trial.model_fault);
  EXPECT_TRUE(says(trial, TrialGate::little, "over attempts"));
  EXPECT_TRUE(says(trial, TrialGate::attempts, "2 begun, 1 ended"));
  metered.end(1, 1500);  // so that its memory is freed
}

TEST(AttemptMeter, ShowsAnAttemptThatIsExecutedTwice) {
  Metered metered(2);
  metered.submit(100);
  metered.end(0, 1000);
  metered.end(1, 1000);
  const Trial trial = metered.judged();
  EXPECT_TRUE(trial.model_fault);
  EXPECT_TRUE(says(trial, TrialGate::attempts, "1 begun, 2 ended"));
}

}  // namespace
}  // namespace precipice
