// The real generator against models that do nothing: on time, complete, and honest about its own
// pauses, alone or with a backend that it serves.
#include "harness/trial/generator.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <ctime>
#include <optional>
#include <thread>

#include "harness/trial/gates.hpp"
#include "harness/trial/trial_summary.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

/// Ends every request inside submit, in no time.
class Sink final : public Model {
 public:
  Sink(Slots& slots, InFlightIntegral& in_flight) : slots_(slots), in_flight_(in_flight) {}
  unsigned executors(const CpuSet&) const override { return 1; }
  void start(const ModelSetup&) override {}
  Refusal submit(const Request& request) noexcept override {
    ids.push_back(request.id);
    ++taken;
    const std::int64_t now = slots_.sent(request.id).dispatch_ns;
    slots_[request.id].begin_ns = now;
    slots_.complete(request.id, now, Outcome::ok(0));
    in_flight_.leave(now);
    return Refusal::none;
  }
  void shutdown(Time) noexcept override {}
  std::uint64_t in_flight() const noexcept override { return 0; }
  ModelStats stats() const override { return {}; }

  std::vector<std::uint64_t> ids;
  /// For another thread to see that the generator is at work.
  static inline std::atomic<std::uint64_t> taken{0};

 private:
  Slots& slots_;
  InFlightIntegral& in_flight_;
};

struct Offered {
  explicit Offered(double rate_per_s, std::int64_t span_ns, const GeneratorOptions& options)
      : intended(Arrivals::parse("poisson").schedule(rate_per_s, span_ns, 7)),
        slots(intended.size()),
        sink(slots, in_flight) {
    sink.ids.reserve(intended.size());
    sent = offer(sink, intended, 7, Io::now() + 1ms, slots, in_flight, options);
    trial.request.rate_per_s = rate_per_s;
    trial.request.window = Nanos(span_ns);
    Recording observation;
    observation.intended_ns = intended;
    observation.slots = &slots;
    observation.issued = intended.size();
    observation.window_end_ns = span_ns;
    observation.deadline_ns = span_ns * 2;
    summarise(observation, trial);
  }

  std::vector<std::int64_t> intended;
  Slots slots;
  InFlightIntegral in_flight;
  Sink sink;
  std::size_t sent = 0;
  Trial trial;
};

class Generator : public ::testing::TestWithParam<BackendThread> {
 protected:
  GeneratorOptions options() {
    GeneratorOptions result;
    if (GetParam() == BackendThread::callers)
      result.backend = &backend_.emplace(CpuSet(), BackendThread::callers);
    return result;
  }

 private:
  std::optional<Backend> backend_;
};

INSTANTIATE_TEST_SUITE_P(Serving, Generator,
                         ::testing::Values(BackendThread::own, BackendThread::callers),
                         [](const auto& each) {
                           return each.param == BackendThread::own ? "Nothing" : "ABackend";
                         });

TEST_P(Generator, OffersEveryRequestOnceInOrderAndNeverEarly) {
  for (const bool spin : {true, false}) {
    GeneratorOptions options = this->options();
    options.spin = spin;
    const Offered offered(5000, 200'000'000, options);
    EXPECT_EQ(offered.sent, offered.intended.size());
    for (std::size_t id = 0; id < offered.sent; ++id) {
      ASSERT_EQ(offered.sink.ids[id], id);
      ASSERT_GE(offered.slots.sent(id).dispatch_ns, offered.intended[id]);
    }
    EXPECT_EQ(offered.in_flight.in_flight(), 0);
  }
}

// 1,000 arrivals in 0.2 s, and at most 40 wake-ups for them: each is one switch to another thread.
TEST(GeneratorBesideAServer, LeavesTimeBetweenItsWakeUps) {
  GeneratorOptions options;
  options.spin = false;
  options.wake_ups_apart = 5ms;
  rusage before{}, after{};
  getrusage(RUSAGE_THREAD, &before);
  const Offered offered(5000, 200'000'000, options);
  getrusage(RUSAGE_THREAD, &after);
  EXPECT_EQ(offered.sent, offered.intended.size());
  EXPECT_LE(after.ru_nvcsw - before.ru_nvcsw, 60);
  for (std::size_t id = 0; id < offered.sent; ++id)
    ASSERT_GE(offered.slots.sent(id).dispatch_ns, offered.intended[id]);
}

TEST_P(Generator, GivesUpAtTheDeadlineAndLeavesTheRestUnsent) {
  GeneratorOptions options = this->options();
  options.give_up_ns = 50'000'000;
  const Offered offered(5000, 200'000'000, options);
  EXPECT_LT(offered.sent, offered.intended.size());
  EXPECT_EQ(offered.trial.counts.unsent, offered.intended.size() - offered.sent);
}

TEST_P(Generator, StopsWhenAsked) {
  const std::atomic<bool> stop{true};
  GeneratorOptions options = this->options();
  options.stop = &stop;
  EXPECT_EQ(Offered(5000, 200'000'000, options).sent, 0U);
}

// A signal whose handler sleeps stops this thread alone: a real pause of the real generator.
void sleep_in_handler(int) {
  const timespec pause{0, 100'000'000};
  nanosleep(&pause, nullptr);
}

TEST_P(Generator, APauseOfItsThreadShowsAsItsOwnLag) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer holds a signal back until the thread calls what it intercepts";
#endif
  struct sigaction action {};
  action.sa_handler = sleep_in_handler;
  sigaction(SIGUSR2, &action, nullptr);
  const pthread_t generator = pthread_self();
  std::thread pauser([generator, before = Sink::taken.load()] {
    for (int i = 0; i < 10'000 && Sink::taken - before < 20; ++i) std::this_thread::sleep_for(1ms);
    pthread_kill(generator, SIGUSR2);
  });
  Offered offered(1000, 400'000'000, options());
  pauser.join();
  EXPECT_EQ(offered.sent, offered.intended.size());
  EXPECT_GE(offered.trial.self_lag.max, 80'000'000);
  offered.trial.request.slo = 10ms;
  GateInput input;
  input.integral_ns = 0;
  apply_gates(input, offered.trial);
  bool blamed = false;
  for (const InvalidReason& reason : offered.trial.invalid_reasons) {
    blamed = blamed || (reason.cause == Cause::generator && reason.gate == TrialGate::self_lag_max);
  }
  EXPECT_TRUE(blamed);
  EXPECT_FALSE(offered.trial.model_fault);
}

}  // namespace
}  // namespace precipice
