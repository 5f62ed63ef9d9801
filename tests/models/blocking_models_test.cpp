// The models whose requests block a thread, and the arena that does both: nothing lost, shedding,
// deadlines, prompt shutdown. Every test counts; none looks at how long something took.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "models/model.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Model> make(const std::string& name, std::map<std::string, std::string> given) {
  const ModelInfo& info = model_named(name);
  return info.make(Options(info.name, info.options, given));
}

std::uint64_t spin(const void*, std::uint64_t seed) {
  for (int i = 0; i < 50; ++i) seed = mix64(seed);
  return seed;
}

/// What requests do, and what became of each.
class Ledger {
 public:
  explicit Ledger(std::size_t requests) : ends(requests), refusals{} {}

  Job job() { return {&Ledger::run, &Ledger::refuse, this}; }
  std::uint64_t ran() const { return ran_.load(); }
  std::uint64_t refused(Refusal why) const { return refusals[static_cast<int>(why)].load(); }
  std::uint64_t cancelled() const { return cancelled_.load(); }
  /// Each id below `count` has ended exactly once.
  bool each_once(std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i) {
      if (ends[i].load() != 1) return false;
    }
    return true;
  }

  Nanos first_sleep{0};  ///< slept by every request unless 0
  bool wait_for_door = false;
  std::atomic<bool> door{false};
  std::atomic<std::uint64_t> begun{0};
  Gate* gate = nullptr;
  Model* resubmit_to = nullptr;  ///< ids below `resubmit_below` submit id + that
  std::uint64_t resubmit_below = 0;

  std::vector<std::atomic<int>> ends;

 private:
  static Task<void> run(void* self, Io& io, Request request) {
    auto& ledger = *static_cast<Ledger*>(self);
    ledger.begun.fetch_add(1);
    if (ledger.gate != nullptr) {
      [[maybe_unused]] const auto got = co_await io.acquire(*ledger.gate);
    }
    const auto digest = co_await io.compute({&spin, nullptr, request.seed});
    if (digest != spin(nullptr, request.seed)) co_return;  // shows up as an id that never ended
    if (ledger.first_sleep > Nanos{0}) {
      const auto slept = co_await io.sleep(ledger.first_sleep);
      if (slept == -ECANCELED) ledger.cancelled_.fetch_add(1);
    }
    while (ledger.wait_for_door && !ledger.door.load()) {
      const auto slept = co_await io.sleep(2ms);
      if (slept != 0) break;
    }
    if (ledger.gate != nullptr) ledger.gate->release();
    if (request.id < ledger.resubmit_below) {
      const Request child{
          .id = request.id + ledger.resubmit_below, .seed = request.seed, .intended = Io::now()};
      const Refusal why = ledger.resubmit_to->submit(child);
      if (why != Refusal::none) refuse(self, child, why);
    }
    ledger.ran_.fetch_add(1);
    ledger.ends[request.id].fetch_add(1);
  }
  static void refuse(void* self, const Request& request, Refusal why) noexcept {
    auto& ledger = *static_cast<Ledger*>(self);
    ledger.refusals[static_cast<int>(why)].fetch_add(1);
    ledger.ends[request.id].fetch_add(1);
  }

  std::array<std::atomic<std::uint64_t>, kRefusalKinds> refusals;
  std::atomic<std::uint64_t> ran_{0};
  std::atomic<std::uint64_t> cancelled_{0};
};

void start(Model& model, Ledger& ledger) {
  ModelSetup setup;
  setup.cpus = CpuSet::of_this_thread();
  setup.job = ledger.job();
  model.start(setup);
}

/// Submits ids [first, last); what is refused on the spot is entered too.
void offer(Model& model, Ledger& ledger, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t id = first; id < last; ++id) {
    const Request request{
        .id = id, .seed = static_cast<std::uint32_t>(mix64(id)), .intended = Io::now()};
    const Refusal why = model.submit(request);
    if (why != Refusal::none) ledger.job().refuse(&ledger, request, why);
  }
}

Time far_away() { return Io::now() + 1h; }

double stat(const Model& model, const std::string& name) {
  for (const auto& [key, value] : model.stats()) {
    if (key == name) return value;
  }
  return -1;
}

struct Variant {
  std::string name;
  std::map<std::string, std::string> given;
  bool queues = true;  ///< submit returns before the request has ended

  friend void PrintTo(const Variant& variant, std::ostream* out) {
    *out << variant.name;
    for (const auto& [key, value] : variant.given) *out << ' ' << key << '=' << value;
  }
};

class EveryModel : public testing::TestWithParam<Variant> {
 protected:
  std::unique_ptr<Model> model(std::map<std::string, std::string> more = {}) {
    more.insert(GetParam().given.begin(), GetParam().given.end());
    return make(GetParam().name, more);
  }
};

TEST_P(EveryModel, EndsEveryRequestOnceWhenSeveralThreadsSubmit) {
  constexpr std::uint64_t kRequests = 20'000;
  Ledger ledger(kRequests);
  const auto model = this->model();
  start(*model, ledger);
  std::vector<std::thread> submitters;
  for (std::uint64_t i = 0; i < 4; ++i) {
    submitters.emplace_back(
        [&, i] { offer(*model, ledger, i * kRequests / 4, (i + 1) * kRequests / 4); });
  }
  for (std::thread& each : submitters) each.join();
  model->shutdown(far_away());
  EXPECT_EQ(model->in_flight(), 0u);
  EXPECT_TRUE(ledger.each_once(kRequests));
  EXPECT_EQ(ledger.ran() + ledger.refused(Refusal::threads), kRequests);
}

TEST_P(EveryModel, EndsRequestsThatWait) {
  constexpr std::uint64_t kRequests = 300;
  Ledger ledger(kRequests);
  ledger.first_sleep = 200us;
  const auto model = this->model();
  start(*model, ledger);
  offer(*model, ledger, 0, kRequests);
  model->shutdown(far_away());
  EXPECT_EQ(ledger.ran(), kRequests);
  EXPECT_TRUE(ledger.each_once(kRequests));
}

TEST_P(EveryModel, GivesUpRequestsThatSleepForAnHour) {
  if (!GetParam().queues) GTEST_SKIP() << "its submitter is the one that sleeps";
  constexpr std::uint64_t kRequests = 2'000;
  Ledger ledger(kRequests);
  ledger.first_sleep = 1h;
  const auto model = this->model();
  start(*model, ledger);
  offer(*model, ledger, 0, kRequests);
  while (ledger.begun.load() == 0) std::this_thread::sleep_for(1ms);
  model->shutdown(Io::now() + 20ms);
  EXPECT_EQ(model->in_flight(), 0u);
  EXPECT_TRUE(ledger.each_once(kRequests));
  EXPECT_EQ(ledger.ran(), ledger.cancelled());
  EXPECT_GT(ledger.cancelled(), 0u);
  EXPECT_EQ(ledger.ran() + ledger.refused(Refusal::shutdown) + ledger.refused(Refusal::threads),
            kRequests);
}

TEST_P(EveryModel, AnswersSubmittersThatRaceWithShutdown) {
  constexpr std::uint64_t kRequests = 40'000;
  Ledger ledger(kRequests);
  const auto model = this->model();
  start(*model, ledger);
  std::vector<std::thread> submitters;
  for (std::uint64_t i = 0; i < 2; ++i) {
    submitters.emplace_back(
        [&, i] { offer(*model, ledger, i * kRequests / 2, (i + 1) * kRequests / 2); });
  }
  while (ledger.begun.load() < 100) std::this_thread::yield();
  model->shutdown(Io::now());
  const std::uint64_t ran = ledger.ran();
  for (std::thread& each : submitters) each.join();
  EXPECT_EQ(ledger.ran(), ran) << "nothing runs once shutdown has returned";
  EXPECT_TRUE(ledger.each_once(kRequests));
  EXPECT_EQ(model->submit({.id = 0, .intended = Io::now()}), Refusal::shutdown);
}

TEST_P(EveryModel, ShedsPastItsLimit) {
  if (!GetParam().queues) GTEST_SKIP() << "one submitter cannot have two under way";
  constexpr std::uint64_t kRequests = 50;
  Ledger ledger(kRequests);
  ledger.wait_for_door = true;
  const auto model = this->model({{"in_flight_limit", "10"}});
  start(*model, ledger);
  offer(*model, ledger, 0, kRequests);
  EXPECT_EQ(ledger.refused(Refusal::limit), kRequests - 10);
  EXPECT_EQ(model->in_flight(), 10u);
  ledger.door = true;
  model->shutdown(far_away());
  EXPECT_EQ(ledger.ran(), 10u);
  EXPECT_TRUE(ledger.each_once(kRequests));
}

TEST_P(EveryModel, RefusesRequestsThatAreTooOld) {
  if (!GetParam().queues) GTEST_SKIP() << "nothing gets old without a queue";
  Ledger ledger(2);
  const auto model = this->model({{"deadline", "10s"}});
  start(*model, ledger);
  EXPECT_EQ(model->submit({.id = 0, .seed = 1, .intended = Io::now() - 60s}), Refusal::none);
  EXPECT_EQ(model->submit({.id = 1, .seed = 1, .intended = Io::now()}), Refusal::none);
  model->shutdown(far_away());
  EXPECT_EQ(ledger.refused(Refusal::deadline), 1u);
  EXPECT_EQ(ledger.ran(), 1u);
  EXPECT_TRUE(ledger.each_once(2));
}

TEST_P(EveryModel, LetsARequestSubmitAnother) {
  constexpr std::uint64_t kParents = 500;
  Ledger ledger(2 * kParents);
  const auto model = this->model();
  ledger.resubmit_to = model.get();
  ledger.resubmit_below = kParents;
  start(*model, ledger);
  offer(*model, ledger, 0, kParents);
  while (model->in_flight() != 0) std::this_thread::sleep_for(1ms);
  model->shutdown(far_away());
  EXPECT_TRUE(ledger.each_once(2 * kParents));
  EXPECT_EQ(ledger.ran(), 2 * kParents);
}

TEST_P(EveryModel, LetsRequestsPassAGateInTurn) {
  constexpr std::uint64_t kRequests = 400;
  Ledger ledger(kRequests);
  Gate gate(2);
  ledger.gate = &gate;
  ledger.first_sleep = 50us;
  const auto model = this->model();
  start(*model, ledger);
  offer(*model, ledger, 0, kRequests);
  model->shutdown(far_away());
  EXPECT_EQ(ledger.ran(), kRequests);
}

TEST_P(EveryModel, EmptiesAGateAtShutdown) {
  if (!GetParam().queues) GTEST_SKIP() << "its submitter is the one that sleeps";
  constexpr std::uint64_t kRequests = 100;
  Ledger ledger(kRequests);
  Gate gate(1);
  ledger.gate = &gate;
  ledger.first_sleep = 1h;
  const auto model = this->model();
  start(*model, ledger);
  offer(*model, ledger, 0, kRequests);
  while (ledger.begun.load() == 0) std::this_thread::sleep_for(1ms);
  model->shutdown(Io::now());
  EXPECT_TRUE(ledger.each_once(kRequests));
}

TEST_P(EveryModel, CanBeMadeStartedAndStoppedWithoutWork) {
  Ledger ledger(1);
  this->model();
  const auto model = this->model();
  start(*model, ledger);
  EXPECT_GE(stat(*model, "threads"), 0);
  EXPECT_GE(stat(*model, "queue_depth"), 0);
  model->shutdown(far_away());
  EXPECT_GE(stat(*model, "threads"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Models, EveryModel,
    testing::Values(Variant{"inline", {}, false}, Variant{"fixed_pool", {{"threads", "8"}}},
                    Variant{"fixed_pool", {{"threads", "8"}, {"queue", "lockfree"}}},
                    Variant{"fixed_pool", {{"threads", "8"}, {"queue", "per_worker"}}},
                    Variant{"fixed_pool", {{"threads", "1"}}}, Variant{"thread_per_request", {}},
                    Variant{"work_stealing", {{"io", "block"}, {"threads", "8"}}},
                    Variant{"work_stealing", {{"io", "block"}, {"threads", "1"}}},
                    Variant{"work_stealing", {{"io", "suspend"}, {"threads", "4"}}},
                    Variant{"work_stealing", {{"io", "suspend"}, {"threads", "1"}}}),
    [](const auto& variant) {
      std::string name = variant.param.name;
      for (const auto& [key, value] : variant.param.given) name += "_" + key + "_" + value;
      return name;
    });

TEST(FixedPool, RunsOnlyItsThreadsAtOnce) {
  Ledger ledger(100);
  ledger.wait_for_door = true;
  const auto model = make("fixed_pool", {{"threads", "3"}});
  start(*model, ledger);
  offer(*model, ledger, 0, 100);
  while (ledger.begun.load() < 3) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(stat(*model, "queue_depth"), 97);
  EXPECT_EQ(ledger.begun.load(), 3u);
  ledger.door = true;
  model->shutdown(far_away());
}

TEST(ThreadPerRequest, GivesEveryRequestAThreadOfItsOwn) {
  constexpr std::uint64_t kRequests = 200;
  Ledger ledger(kRequests);
  ledger.wait_for_door = true;
  const auto model = make("thread_per_request", {});
  start(*model, ledger);
  offer(*model, ledger, 0, kRequests);
  // A thread may begin before the acceptor has counted it.
  while (stat(*model, "threads_created") < kRequests) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(stat(*model, "threads"), kRequests + 1);
  ledger.door = true;
  model->shutdown(far_away());
  EXPECT_EQ(stat(*model, "threads"), 1);
  EXPECT_EQ(stat(*model, "threads_created"), kRequests);
}

TEST(ThreadPerRequest, ShedsPastItsOwnCap) {
  Ledger ledger(20);
  ledger.wait_for_door = true;
  const auto model = make("thread_per_request", {{"threads", "5"}});
  start(*model, ledger);
  offer(*model, ledger, 0, 20);
  while (ledger.begun.load() + ledger.refused(Refusal::limit) < 20) {
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(ledger.begun.load(), 5u);
  ledger.door = true;
  model->shutdown(far_away());
  EXPECT_TRUE(ledger.each_once(20));
}

TEST(ThreadPerRequest, RejectsAStackBelowTheMinimum) {
  EXPECT_THROW(make("thread_per_request", {{"stack", "1KiB"}}), UsageError);
}

// In a child of its own, as a user whom RLIMIT_NPROC holds back.
TEST(ThreadPerRequest, ShedsAtTheKernelsLimitAndNamesIt) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit threads{40, 40};
    if (geteuid() == 0 && setresuid(54321, 54321, 54321) != 0) _exit(77);
    if (setrlimit(RLIMIT_NPROC, &threads) != 0) _exit(77);
    Ledger ledger(500);
    ledger.wait_for_door = true;
    const auto model = make("thread_per_request", {});
    start(*model, ledger);
    offer(*model, ledger, 0, 500);
    while (ledger.begun.load() + ledger.refused(Refusal::threads) < 500) {
      std::this_thread::sleep_for(1ms);
    }
    const bool shed = ledger.refused(Refusal::threads) > 0;
    const bool named = stat(*model, "limited_by_rlimit_nproc") == 1;
    ledger.door = true;
    model->shutdown(far_away());
    _exit(!ledger.each_once(500) ? 1 : !shed ? 2 : !named ? 3 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "cannot become another user here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(WorkStealing, IsSeenByTheArenasObserver) {
  Ledger ledger(10);
  const auto model = make("work_stealing", {{"threads", "5"}});
  start(*model, ledger);
  EXPECT_EQ(stat(*model, "arena_workers"), 5);
  EXPECT_GE(stat(*model, "arena_entries"), 5);
  offer(*model, ledger, 0, 10);
  model->shutdown(far_away());
  EXPECT_EQ(ledger.ran(), 10u);
}

TEST(WorkStealing, HoldsMoreWaitingRequestsThanWorkersOnlyWhenItSuspends) {
  constexpr std::uint64_t kRequests = 1'000;
  Ledger ledger(kRequests);
  ledger.wait_for_door = true;
  const auto model = make("work_stealing", {{"threads", "2"}});
  start(*model, ledger);
  offer(*model, ledger, 0, kRequests);
  while (ledger.begun.load() < kRequests) std::this_thread::sleep_for(1ms);
  ledger.door = true;
  model->shutdown(far_away());
  EXPECT_EQ(ledger.ran(), kRequests);
}

}  // namespace
}  // namespace precipice
