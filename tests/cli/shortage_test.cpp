// What this machine does not give, threads or memory, in the middle of a measurement: the trial
// says what ran out, as Unavailable, and nothing is left behind.
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include "harness/trial/trial_runner.hpp"
#ifdef PRECIPICE_BINARY
#include "tests/support/command_line.hpp"
#endif

namespace precipice::testing {
namespace {

using namespace std::chrono_literals;

enum class Lack {
  none,
  memory_at_start,
  thread_at_start,
  memory_meanwhile,
  memory_of_requests,
  fault
};

/// Runs its requests on fixed_pool, and lacks something at one point.
class Lacking final : public Model {
 public:
  explicit Lacking(Lack what) : what_(what) {
    const ModelInfo& info = model_named("fixed_pool");
    inner_ = info.make(Options(info.name, info.options, {{"threads", "3"}}));
  }
  unsigned executors(const CpuSet& cpus) const override { return inner_->executors(cpus); }
  void start(const ModelSetup& setup) override {
    if (what_ == Lack::memory_at_start) throw std::bad_alloc();
    if (what_ == Lack::thread_at_start)
      throw std::system_error(EAGAIN, std::generic_category(), "no thread");
    inner_->start(setup);
  }
  Refusal submit(const Request& request) noexcept override {
    return what_ == Lack::memory_of_requests && request.id % 2 == 1 ? Refusal::memory
                                                                    : inner_->submit(request);
  }
  void shutdown(Time deadline) noexcept override { inner_->shutdown(deadline); }
  std::uint64_t in_flight() const noexcept override { return inner_->in_flight(); }
  ModelStats stats() const override {
    if (what_ == Lack::memory_meanwhile) throw std::bad_alloc();
    if (what_ == Lack::fault) throw std::logic_error("a fault");
    return inner_->stats();
  }

 private:
  Lack what_;
  std::unique_ptr<Model> inner_;
};

/// What the trial says, or "".
std::string complaint(Lack what) {
  TrialRunner runner(::testing::TempDir());
  runner.set_model_maker([what](const TrialRequest&) { return std::make_unique<Lacking>(what); });
  TrialRequest request;
  request.model = {"fixed_pool", {}};
  request.workload = {"sleep", {{"wait", "20ms"}}};
  request.rate_per_s = 1000;
  request.warmup = 0ns;
  request.window = 50ms;
  request.generator_cpus = request.model_cpus = CpuSet({CpuSet::of_this_thread().list().front()});
  try {
    runner.run(request);
  } catch (const Unavailable& reason) {
    return reason.what();
  }
  return "";
}

TEST(Shortage, OfMemoryOrThreadsIsNoInternalError) {
  EXPECT_EQ(complaint(Lack::none), "");
  for (const Lack what :
       {Lack::memory_at_start, Lack::memory_meanwhile, Lack::memory_of_requests}) {
    EXPECT_NE(complaint(what).find("no memory"), std::string::npos) << complaint(what);
  }
  EXPECT_NE(complaint(Lack::thread_at_start).find("the kernel refuses a thread"),
            std::string::npos);
  EXPECT_THROW(complaint(Lack::fault), std::logic_error) << "a fault stays one";
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they need terabytes of it
class ShortageOfAddresses : public CommandLine {};

TEST_F(ShortageOfAddresses, IsNamedWithItsLimitAndEndsInFour) {
  for (const char* load :
       {"--model fixed_pool:threads=1k --rate 1k", "--model event_loop --rate 2M --seconds 1"}) {
    const Ended ended = shell("ulimit -v 300000; XDG_CACHE_HOME=$PWD " PRECIPICE_BINARY
                              " trial --workload sleep:wait=5ms " +
                              std::string(load));
    EXPECT_EQ(ended.code, 4) << ended.err;
    EXPECT_NE(ended.err.find("ulimit -v"), std::string::npos) << ended.err;
  }
}
#endif

}  // namespace
}  // namespace precipice::testing
