// Every policy around every model: the digests of every attempt, exactly one end for each request
// and each attempt, and an end at any moment. No test looks at how long anything took.
#include <gtest/gtest.h>

#include <atomic>
#include <cctype>
#include <chrono>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "harness/trial/policy_chain.hpp"
#include "harness/trial/trial_runner.hpp"
#include "models/policies/timer_thread.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

CpuSet generator_cpu() { return CpuSet({CpuSet::of_this_thread().list().front()}); }
CpuSet model_cpus() {
  std::vector<int> cpus = CpuSet::of_this_thread().list();
  if (cpus.size() > 1) cpus.erase(cpus.begin());
  return CpuSet(std::move(cpus));
}

TrialRunner& runner() {
  static TrialRunner instance(::testing::TempDir() + "precipice-policies");
  return instance;
}

TrialRequest request_of(const std::string& chain, const std::string& model, const Spec& workload) {
  TrialRequest request;
  request.model.name = model;
  request.workload = workload;
  request.policies = parse_policies(chain);
  request.rate_per_s = 1000;
  request.window = 50ms;
  request.warmup = 10ms;
  request.drain = 20s;  // a stall of the machine must not look like a lost request
  request.seed = 5;
  request.generator_cpus = generator_cpu();
  request.model_cpus = model_cpus();
  return request;
}

void expect_conserved(const Trial& trial) {
  EXPECT_FALSE(trial.model_fault) << (trial.invalid_reasons.empty()
                                          ? ""
                                          : trial.invalid_reasons.back().text);
  const Counts& counts = trial.counts;
  EXPECT_EQ(counts.sent, counts.completed + counts.failed + counts.shed + counts.unfinished);
  ASSERT_TRUE(trial.attempts.has_value());
  EXPECT_EQ(trial.attempts->begun, trial.attempts->ended());
  // Little's law over attempts, also where the shutdown has cut them off.
  EXPECT_LE(trial.attempts->little_error, 0.001);
}

/// Chains, and whether every request comes through them when nothing is overloaded.
struct Chain {
  const char* text;
  bool complete;
};
const std::vector<Chain>& chains() {
  static const std::vector<Chain> all = {
      {"none", true},
      {"batch:size=4,linger=2ms", true},
      {"hedge:after=1ms", true},
      {"hedge:after=0,tied=yes", true},
      {"retry:timeout=1ms,tries=3", false},
      {"limit:limit=10000", true},
      {"queue:running=4,order=lifo", true},
      {"throttle", true},
      {"fan:out=3,need=2", true},
      {"choose:by=stress,up=8,down=2,first=(hedge:after=1ms),second=(batch:size=4,linger=1ms)",
       true},
      {"choose:by=replica,replicas=3", true},
      {"choose:by=class,first=(choose:by=replica,replicas=2,pick=least),"
       "second=(batch:size=3,linger=1ms|fan:out=2,to=replicas)",
       true},
      {"retry:timeout=4ms|hedge:after=1ms|batch:size=3,linger=1ms|queue:running=16", false},
  };
  return all;
}

class Policies : public testing::TestWithParam<std::tuple<std::size_t, std::string>> {
 protected:
  Chain chain() const { return chains()[std::get<0>(GetParam())]; }
  const std::string& model() const { return std::get<1>(GetParam()); }
};

TEST_P(Policies, EndEveryRequestOnceWithTheDigestsOfInline) {
  for (const Spec& work :
       {Spec{"mixed", {{"work", "10us"}, {"wait", "500us"}, {"dist", "exponential"}}},
        Spec{"rpc", {{"wait", "300us"}}},
        // Executes a batch in a way of its own.
        Spec{"service", {{"fixed", "200us"}, {"item", "20us"}, {"replicas", "2"}}}}) {
    const Trial trial = runner().run(request_of(chain().text, model(), work));
    expect_conserved(trial);
    EXPECT_GT(trial.counts.sent, 20U);
    if (chain().complete) {
      EXPECT_EQ(trial.counts.completed, trial.counts.sent) << work.to_string();
    }
    EXPECT_LE(trial.little_error, 0.001);
    // Attempts that nobody needs any more end too, before the drain's deadline.
    EXPECT_EQ(trial.attempts->unfinished, 0U) << work.to_string();
  }
}

TEST_P(Policies, KeepAClosedLoopGoing) {
  TrialRequest request = request_of(chain().text, model(), {"sleep", {{"wait", "200us"}}});
  request.rate_per_s = 0;
  request.closed = 16;
  // A machine that stands still may do so for a whole window: then a longer one tells.
  std::uint64_t ended = 0;
  for (request.window = 30ms; ended == 0 && request.window < 10s; request.window *= 4) {
    const Trial trial = runner().run(request);
    expect_conserved(trial);
    ended = trial.counts.completed + trial.counts.failed;
  }
  EXPECT_GT(ended, 0U);
}

TEST_P(Policies, EndAtAnyMoment) {
  // The drain is over before most of the requests have ended, and so the shutdown meets each stage
  // of a request: held back, between attempts, in the model.
  for (const auto drain : {1ms, 10ms}) {
    TrialRequest request = request_of(chain().text, model(),
                                      {"sleep", {{"wait", "20ms"}, {"dist", "bimodal(0.9,1,20)"}}});
    request.window = 30ms;
    request.warmup = 0ms;
    request.rate_per_s = 2000;
    request.drain = drain;
    expect_conserved(runner().run(request));
  }
}

std::vector<std::string> compared_models() {
  std::vector<std::string> names;
  for (const ModelInfo& info : models()) {
    if (!info.control) names.emplace_back(info.name);
  }
  return names;
}
INSTANTIATE_TEST_SUITE_P(
    All, Policies,
    testing::Combine(testing::Range(std::size_t{0}, chains().size()),
                     testing::ValuesIn(compared_models())),
    [](const testing::TestParamInfo<std::tuple<std::size_t, std::string>>& each) {
      std::string text = chains()[std::get<0>(each.param)].text;
      text += "_on_" + std::get<1>(each.param);
      for (char& c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
      }
      return text;
    });

TEST(PolicyOptions, NameTheKeyAndTheCure) {
  const auto complaint = [](const std::string& text) -> std::string {
    try {
      parse_policies(text);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(complaint("bath").find("did you mean 'batch'"), std::string::npos) << complaint("bath");
  EXPECT_NE(complaint("batch:siz=3").find("size"), std::string::npos);
  EXPECT_NE(complaint("hedge:budget=120%").find("0% to 100%"), std::string::npos);
  EXPECT_NE(complaint("queue").find("running"), std::string::npos);
  EXPECT_NE(complaint("fan:out=2,need=3").find("need=3"), std::string::npos);
  EXPECT_NE(complaint("batch:size=auto").find("slo"), std::string::npos);
  EXPECT_NE(complaint("batch:size=auto,slo=2ms,linger=3ms").find("linger"), std::string::npos);
  EXPECT_NE(complaint("none|").find("no name"), std::string::npos);
}

TEST(PolicyOptions, AreHeldAgainstTheSloAndTheClock) {
  const auto lingering = parse_policies("batch:linger=20ms");
  EXPECT_NO_THROW(check_policies(lingering, 30ms, ClockKind::real));
  EXPECT_THROW(check_policies(lingering, 20ms, ClockKind::real), UsageError);
  const auto hasty = parse_policies("hedge:after=10us");
  EXPECT_NO_THROW(check_policies(hasty, 0ms, ClockKind::virtual_time));
  EXPECT_THROW(check_policies(hasty, 0ms, ClockKind::real), UsageError);
}

TEST(PolicyTexts, AreReadBack) {
  const std::string text = "limit:kind=gradient|hedge:after=10ms,budget=5%";
  EXPECT_EQ(to_string(parse_policies(text)), text);
}

TEST(TimerThread, CallsTimersInOrderAndNoneThatWasDropped) {
  struct Seen {
    std::atomic<int> calls{0};
    std::atomic<bool> in_order{true};
  };
  const auto due = [](void* context, std::uint64_t argument) noexcept {
    auto& own = *static_cast<Seen*>(context);
    if (static_cast<std::uint64_t>(own.calls.fetch_add(1)) != argument) own.in_order = false;
  };
  // Nothing is known of the order where the first was due before the last was set: then once more,
  // with more time to set them.
  bool set_in_time = false;
  for (Nanos lead = 5ms; !set_in_time && lead < 60s; lead *= 4) {
    TimerThread timers(CpuSet::of_this_thread());
    Seen seen, dropped;
    const Time first = timers.now() + lead;
    for (std::uint64_t i = 0; i < 100; ++i) {
      // Set in another order than they are due.
      const std::uint64_t at = (i * 37) % 100;
      ASSERT_TRUE(timers.at(first + std::chrono::microseconds(20 * at), {due, &seen, at}));
      ASSERT_TRUE(timers.at(first + 1h, {due, &dropped, at}));
    }
    set_in_time = timers.now() < first;
    timers.drop(&dropped);
    ASSERT_TRUE(timers.wait_until(first + 60s, [&] { return seen.calls == 100; }));
    EXPECT_TRUE(seen.in_order || !set_in_time);
    EXPECT_EQ(dropped.calls, 0);
    EXPECT_EQ(timers.lateness().timers, 100U);
  }
  EXPECT_TRUE(set_in_time);
}

}  // namespace
}  // namespace precipice
