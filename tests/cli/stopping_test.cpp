// A wish to stop is heeded wherever the program is, and what it waits for meanwhile is said.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>

#include "harness/trial/calibration.hpp"
#include "harness/trial/closed_loop.hpp"
#include "harness/trial/drain.hpp"
#include "harness/trial/instrumented_job.hpp"
#include "harness/trial/interrupt.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "harness/trial/slots.hpp"
#include "harness/trial/trial_runner.hpp"
#include "models/in_flight_integral.hpp"
#include "workloads/block_file.hpp"

namespace precipice::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const std::atomic<bool> kStop{true};

/// Has so many in flight, ever.
class Holding final : public Model {
 public:
  explicit Holding(std::uint64_t number) : number_(number) {}
  unsigned executors(const CpuSet&) const override { return 1; }
  void start(const ModelSetup&) override {}
  Refusal submit(const Request&) noexcept override { return Refusal::none; }
  void shutdown(Time) noexcept override {}
  std::uint64_t in_flight() const noexcept override { return number_; }
  ModelStats stats() const override { return {}; }

 private:
  std::uint64_t number_;
};

TEST(Drain, WaitsForNothingNobodyAndNoLongerThanItMay) {
  const Time far_away = Io::now() + 10h;
  EXPECT_EQ(wait_for_drain(Holding(0), far_away, nullptr), far_away);
  EXPECT_LT(wait_for_drain(Holding(5), far_away, &kStop), far_away);
  const Time soon = Io::now() + 5ms;
  EXPECT_EQ(wait_for_drain(Holding(5), soon, nullptr), soon);
  EXPECT_GE(Io::now(), soon);
}

std::unique_ptr<Workload> workload(const std::string& name,
                                   const std::map<std::string, std::string>& given) {
  const WorkloadInfo& info = workload_named(name);
  return info.make(Options(info.name, info.options, given));
}

TEST(Stopping, EndsACalibrationAndItsWaits) {
  const auto minutes = workload("sleep", {{"wait", "1m"}});
  minutes->prepare({});
  EXPECT_THROW(calibrate_service(*minutes, &kStop), Interrupted);
}

TEST(Stopping, EndsASimulation) {
  TrialRequest request;
  request.model = {"oracle", {{"mean", "1ms"}}};
  request.workload = {"empty", {}};
  request.clock = ClockKind::virtual_time;
  for (const char* discipline : {"fcfs", "ps"}) {
    request.model.given["discipline"] = discipline;
    for (const bool closed : {false, true}) {
      request.rate_per_s = closed ? 0 : 500;
      request.closed = closed ? 3 : 0;
      EXPECT_THROW(simulate_trial(request, &kStop), Interrupted) << discipline << closed;
    }
  }
}

TEST(Stopping, LeavesNothingOfAFileThatWasBeingMade) {
  std::string directory = ::testing::TempDir() + "precipice-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  int asked = 0;
  const auto give_up_later = [&] {
    if (++asked == 3) throw Interrupted("enough");
  };
  EXPECT_THROW(ensure_block_file(directory, 16 << 20, give_up_later), Interrupted);
  EXPECT_TRUE(fs::is_empty(directory));
  fs::remove_all(directory);
}

// `inline` runs the whole loop inside the first submit.
TEST(Stopping, EndsAClosedLoopFromInsideARequest) {
  const auto nothing = workload("empty", {});
  nothing->prepare({});
  std::atomic<bool> stop{false};
  Slots slots(100'000);
  InFlightIntegral in_flight;
  InstrumentedJob observed(*nothing, slots, in_flight);
  const ModelInfo& info = model_named("inline");
  const auto model = info.make(Options(info.name, info.options, {}));
  ClosedLoop loop(*model, slots, in_flight, 1, 0ns, Nanos(1h).count(), &stop);
  struct StopAtTheTenth final : AfterEnd {
    ClosedLoop* loop = nullptr;
    std::atomic<bool>* stop = nullptr;
    int ends = 0;
    void ended(std::int64_t at_ns) noexcept override {
      if (++ends == 10) *stop = true;
      loop->ended(at_ns);
    }
  } after;
  after.loop = &loop;
  after.stop = &stop;
  observed.set_after_end(&after);
  model->start({CpuSet::of_this_thread(), observed.job(), {}, 4096});
  observed.set_epoch(Io::now());
  loop.drive(1, Io::now());
  model->shutdown(Io::now());
  EXPECT_EQ(loop.issued(), 10U);
}

TEST(Stopping, EndsAWaitInsideSubmit) {
  const auto hours = workload("sleep", {{"wait", "1m"}});
  hours->prepare({});
  Slots slots(1);
  InFlightIntegral in_flight;
  InstrumentedJob observed(*hours, slots, in_flight);
  const ModelInfo& info = model_named("inline");
  const auto model = info.make(Options(info.name, info.options, {}));
  model->start({CpuSet::of_this_thread(), observed.job(), {}, 4096, &kStop});
  model->submit({.id = 0, .intended = Io::now()});
  EXPECT_EQ(slots[0].error, ECANCELED);
}

std::ptrdiff_t threads_here() {
  return std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator());
}

TEST(Stopping, EndsTheStartOfALargePool) {
  const auto nothing = workload("empty", {});
  nothing->prepare({});
  Slots slots(1);
  InFlightIntegral in_flight;
  InstrumentedJob observed(*nothing, slots, in_flight);
  const ModelInfo& info = model_named("fixed_pool");
  for (const char* queue : {"mutex", "lockfree", "per_worker"}) {
    const auto model =
        info.make(Options(info.name, info.options, {{"threads", "500"}, {"queue", queue}}));
    const std::ptrdiff_t before = threads_here();
    model->start({CpuSet::of_this_thread(), observed.job(), {}, 4096, &kStop});
    EXPECT_LT(threads_here(), before + 500) << queue;
    model->submit({.id = 0, .intended = Io::now()});
    model->shutdown(Io::now());
    EXPECT_EQ(model->in_flight(), 0U) << queue;
  }
}

}  // namespace
}  // namespace precipice::testing
