// Every model on every workload: the same digests, nothing lost, shedding instead of dying, an end
// under load, a great many awaits; and the kernel's own evidence that each model is what it says.
// No test looks at how long anything took.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <ostream>
#include <string>
#include <thread>
#include <tuple>

#include "harness/trial/instrumented_job.hpp"
#include "harness/trial/slots.hpp"
#include "harness/trial/trial_runner.hpp"
#include "models/in_flight_integral.hpp"
#include "models/model.hpp"
#include "tests/support/sanitized.hpp"
#include "workloads/workload.hpp"

namespace precipice {

/// GoogleTest shows a parameter by this.
void PrintTo(const Spec& spec, std::ostream* out) { *out << spec.to_string(); }

namespace {

using namespace std::chrono_literals;

constexpr double kRate = testing::kSanitized ? 1000 : 3000;

CpuSet first_cpu() { return CpuSet({CpuSet::of_this_thread().list().front()}); }
CpuSet other_cpus() {
  std::vector<int> cpus = CpuSet::of_this_thread().list();
  if (cpus.size() > 1) cpus.erase(cpus.begin());
  return CpuSet(std::move(cpus));
}

TrialRunner& runner() {
  static TrialRunner instance(::testing::TempDir() + "precipice-conformance");
  return instance;
}

/// Every variant that a suite can name and that runs differently.
const std::vector<Spec>& variants() {
  static const std::vector<Spec> all = [] {
    std::vector<Spec> specs;
    for (const ModelInfo& info : models()) {
      if (info.name != "oracle") specs.push_back({std::string(info.name), {}});
    }
    specs.push_back({"fixed_pool", {{"queue", "lockfree"}, {"threads", "8"}}});
    specs.push_back({"fixed_pool", {{"queue", "per_worker"}, {"threads", "8"}}});
    specs.push_back({"event_loop", {{"contexts", "shared"}}});
    specs.push_back({"work_stealing", {{"io", "block"}, {"threads", "8"}}});
    return specs;
  }();
  return all;
}

const std::vector<Spec>& kinds_of_work() {
  static const std::vector<Spec> all = {
      {"empty", {}},
      {"cpu", {{"work", "20us"}, {"dist", "exponential"}}},
      {"sleep", {{"wait", "500us"}, {"dist", "bimodal(0.9,1,10)"}}},
      {"file", {{"size", "4MiB"}}},
      {"rpc", {{"wait", "300us"}, {"bytes", "5000"}}},
      {"mixed", {{"work", "20us"}, {"wait", "300us"}}},
      {"mixed",
       {{"work", "20us"}, {"wait", "150us"}, {"waits", "3"}, {"wait_dist", "exponential"}}},
      {"service",
       {{"replicas", "2"},
        {"servers", "2"},
        {"fixed", "200us"},
        {"item", "20us"},
        {"dist", "exponential"}}},
      {"pipeline", {{"stages", "3"}, {"servers", "2"}, {"wait", "50us"}, {"work", "5us"}}},
      {"pipeline", {{"stages", "2"}, {"wait", "50us"}, {"linger", "100us"}}},
      {"pipeline", {{"stages", "2"}, {"wait", "50us"}, {"tick", "200us"}}},
  };
  return all;
}

std::string label(const Spec& spec) {
  std::string text = spec.to_string();
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return text;
}

TrialRequest trial_of(const Spec& model, const Spec& workload, double rate_per_s) {
  TrialRequest request;
  request.model = model;
  request.workload = workload;
  request.rate_per_s = rate_per_s;
  request.window = 80ms;
  request.warmup = 20ms;
  request.drain = 20s;  // a stall of the machine must not look like a lost request
  request.seed = 11;
  request.generator_cpus = first_cpu();
  request.model_cpus = other_cpus();
  return request;
}

void expect_conserved(const Trial& trial) {
  EXPECT_FALSE(trial.model_fault) << (trial.invalid_reasons.empty()
                                          ? ""
                                          : trial.invalid_reasons.front().text);
  const Counts& counts = trial.counts;
  EXPECT_EQ(counts.sent, counts.completed + counts.failed + counts.shed + counts.unfinished);
  EXPECT_EQ(counts.scheduled, counts.sent + counts.unsent);
}

class Conformance : public ::testing::TestWithParam<std::tuple<Spec, Spec>> {};

TEST_P(Conformance, AnswersEveryRequestOnceWithTheDigestsOfInline) {
  const auto& [model, workload] = GetParam();
  static std::map<std::string, std::uint64_t> checksums;  // by workload, from inline
  const std::string name = workload.to_string();
  if (!checksums.contains(name)) {
    checksums[name] = runner().run(trial_of({"inline", {}}, workload, kRate)).checksum;
  }
  const Trial trial = runner().run(trial_of(model, workload, kRate));
  expect_conserved(trial);
  EXPECT_EQ(trial.counts.completed, trial.counts.scheduled);
  EXPECT_GT(trial.counts.scheduled, 50U);
  EXPECT_EQ(trial.checksum, checksums[name]);
  EXPECT_NE(trial.checksum, 0U);
  EXPECT_LE(trial.little_error, 0.001);
}

TEST_P(Conformance, KeepsEveryLaneOfAClosedLoopBusy) {
  const auto& [model, workload] = GetParam();
  TrialRequest request = trial_of(model, workload, 0);
  request.closed = 16;
  request.warmup = 0ms;  // so that even the first sixteen count, however late they end
  request.window = 30ms;
  const Trial trial = runner().run(request);
  expect_conserved(trial);
  EXPECT_GT(trial.counts.completed, 0U);
  EXPECT_EQ(trial.counts.failed + trial.counts.shed, 0U);
}

INSTANTIATE_TEST_SUITE_P(All, Conformance,
                         ::testing::Combine(::testing::ValuesIn(variants()),
                                            ::testing::ValuesIn(kinds_of_work())),
                         [](const ::testing::TestParamInfo<std::tuple<Spec, Spec>>& each) {
                           return label(std::get<0>(each.param)) + "_on_" +
                                  label(std::get<1>(each.param));
                         });

class AnyModel : public ::testing::TestWithParam<Spec> {
 protected:
  /// With one more option.
  Spec with(const std::string& key, const std::string& value) const {
    Spec spec = GetParam();
    spec.given[key] = value;
    return spec;
  }
};

/// All but inline, whose requests end inside submit.
class QueueingModel : public AnyModel {};

TEST_P(QueueingModel, ShedsPastItsLimitAndCountsIt) {
  TrialRequest request =
      trial_of(with("in_flight_limit", "5"), {"sleep", {{"wait", "100ms"}}}, kRate);
  request.warmup = 0ms;  // the five that are let in must be among those that count
  const Trial trial = runner().run(request);
  expect_conserved(trial);
  EXPECT_GT(trial.counts.shed, 0U);
  EXPECT_GT(trial.counts.completed + trial.counts.unfinished, 0U);
  EXPECT_EQ(trial.refusals.at("limit"), trial.counts.shed);
}

TEST_P(QueueingModel, EndsUnderLoadWithEveryRequestAccountedFor) {
  for (const Spec& work :
       {Spec{"sleep", {{"wait", "1m"}}}, Spec{"rpc", {{"wait", "1m"}, {"connections", "40"}}}}) {
    TrialRequest request = trial_of(GetParam(), work, 500);
    request.drain = 1s;  // a stall of the machine must not end the trial before it has begun
    const Trial trial = runner().run(request);
    expect_conserved(trial);
    EXPECT_EQ(trial.counts.unfinished, trial.counts.sent) << work.to_string();
    EXPECT_GT(trial.counts.sent, 0U);
    EXPECT_FALSE(trial.drained);
  }
}

/// One request that awaits many operations in a row.
class ManyAwaits final : public Workload {
 public:
  void prepare(const WorkloadSetup&) override {}
  Task<Outcome> run(Io& io, const Request& request) override {
    std::uint64_t digest = request.seed;
    for (int i = 0; i < testing::kManyAwaits; ++i) {
      const std::uint64_t next = co_await io.compute({&ManyAwaits::step, nullptr, digest});
      digest = next;
      const std::uint64_t again = co_await child(io, digest);
      digest = again;
    }
    for (int i = 0; i < 2'000; ++i) {
      const std::int64_t slept = co_await io.sleep(Nanos(0));
      if (slept < 0) co_return Outcome::failed(slept);
    }
    co_return Outcome::ok(digest);
  }
  Nanos nominal_service() const override { return Nanos(0); }
  Nanos nominal_cpu() const override { return Nanos(0); }

 private:
  static std::uint64_t step(const void*, std::uint64_t seed) { return seed + 1; }
  static Task<std::uint64_t> child(Io& io, std::uint64_t digest) {
    const std::uint64_t next = co_await io.compute({&ManyAwaits::step, nullptr, digest});
    co_return next;
  }
};

TEST_P(AnyModel, AwaitsAGreatManyTimesWithoutGrowingTheStack) {
  ManyAwaits workload;
  Slots slots(1);
  InFlightIntegral in_flight;
  InstrumentedJob observed(workload, slots, in_flight);
  const ModelInfo& info = model_named(GetParam().name);
  const auto model = info.make(Options(info.name, info.options, GetParam().given));
  model->start({other_cpus(), observed.job(), {}, 4096});
  in_flight.enter(0);
  ASSERT_EQ(model->submit({.id = 0, .seed = 3, .intended = Io::now()}), Refusal::none);
  model->shutdown(Io::now() + 10min);
  EXPECT_EQ(slots[0].end, End::completed);
  EXPECT_EQ(slots[0].digest, 2U * testing::kManyAwaits + 3);
  EXPECT_EQ(in_flight.in_flight(), 0);
}

std::vector<Spec> queueing_variants() {
  std::vector<Spec> specs = variants();
  std::erase_if(specs, [](const Spec& spec) { return spec.name == "inline"; });
  return specs;
}
INSTANTIATE_TEST_SUITE_P(All, QueueingModel, ::testing::ValuesIn(queueing_variants()),
                         [](const ::testing::TestParamInfo<Spec>& each) {
                           return label(each.param);
                         });
INSTANTIATE_TEST_SUITE_P(All, AnyModel, ::testing::ValuesIn(variants()),
                         [](const ::testing::TestParamInfo<Spec>& each) {
                           return label(each.param);
                         });

/// Processes and threads ever created on this machine (proc(5), stat, "processes").
std::uint64_t tasks_created() {
  std::ifstream stat("/proc/stat");
  for (std::string word; stat >> word;) {
    std::uint64_t value = 0;
    if (word == "processes" && stat >> value) return value;
  }
  return 0;
}

TEST(Evidence, TheKernelCreatesAThreadForEveryRequest) {
  const std::uint64_t before = tasks_created();
  const Trial trial = runner().run(trial_of({"thread_per_request", {}}, {"empty", {}}, kRate));
  EXPECT_GE(tasks_created() - before, trial.counts.completed);
}

TEST(Corruption, AWrongByteInWhatIsReadFailsTheTrial) {
  const Spec file{"file", {{"size", "1MiB"}}};
  const std::string scratch = ::testing::TempDir() + "precipice-corruption";
  TrialRunner own(scratch);
  TrialRequest request = trial_of({"fixed_pool", {{"threads", "4"}}}, file, kRate);
  ASSERT_FALSE(own.run(request).model_fault);

  std::string path;
  for (const auto& entry : std::filesystem::directory_iterator(scratch)) path = entry.path();
  ASSERT_FALSE(path.empty());
  // Again and again while the trial runs: what is spoiled before it is noticed by preparing, which
  // makes the file anew, and is spoiled again.
  request.window = 600ms;
  std::atomic<bool> done{false};
  std::thread spoiler([&path, &done] {
    while (!done.load()) {
      std::fstream data(path, std::ios::in | std::ios::out | std::ios::binary);
      for (std::streamoff at = 1000; at < 1 << 20; at += 4096) {
        data.seekp(at);
        data.put('\x5a');
      }
      data.close();
      ::sync();
      std::this_thread::sleep_for(20ms);
    }
  });
  const Trial trial = own.run(request);
  done = true;
  spoiler.join();
  EXPECT_TRUE(trial.model_fault);
  EXPECT_FALSE(trial.valid);
  EXPECT_LT(trial.goodput_per_s * 0.6, static_cast<double>(trial.counts.completed));
  bool named = false;
  for (const InvalidReason& reason : trial.invalid_reasons)
    named = named || reason.gate == TrialGate::digest;
  EXPECT_TRUE(named);
  std::filesystem::remove_all(scratch);
}

}  // namespace
}  // namespace precipice
