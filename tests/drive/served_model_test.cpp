// Models over HTTP: the server's command line, and whole trials with the program as the server.
#include "harness/drive/served_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "harness/trial/transport.hpp"
#include "harness/trial/trial_runner.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

TrialRequest request_for(const std::string& model, double rate_per_s) {
  TrialRequest request;
  request.model.name = model;
  request.model.policy = kOverHttp;
  request.workload = {"mixed", {{"work", "20us"}, {"wait", "500us"}}};
  request.rate_per_s = rate_per_s;
  request.window = 300ms;
  request.warmup = 50ms;
  request.drain = 20s;
  request.seed = 9;
  request.generator_cpus = request.model_cpus = CpuSet::allowed();
  return request;
}

TEST(ServedModel, IsStartedWithTheModelAndTheWorkOfTheTrial) {
  TrialRequest request = request_for("fixed_pool", 500);
  request.model.given["threads"] = "4";
  request.model_cpus = CpuSet::parse("1");
  const std::vector<std::string> command = serve_command("/bin/precipice", request, 100);
  const auto after = [&](const std::string& option) -> std::string {
    const auto found = std::find(command.begin(), command.end(), option);
    return found == command.end() || found + 1 == command.end() ? "" : *(found + 1);
  };
  EXPECT_EQ(command[0], "/bin/precipice");
  EXPECT_EQ(command[1], "serve");
  EXPECT_EQ(after("--model"), "fixed_pool:threads=4");
  EXPECT_EQ(after("--workload"), "mixed:wait=500us,work=20us");
  EXPECT_EQ(after("--cpus"), "1");
  EXPECT_EQ(after("--keepalive"), "park");  // more connections than threads
  EXPECT_EQ(serve_command("p", request_for("io_uring", 1), 1).back(), "--json");
}

TEST(ServedModel, HasConnectionsForTwiceItsServiceTime) {
  EXPECT_EQ(connections_for(request_for("event_loop", 10'000), 5ms), 164U);
  TrialRequest closed = request_for("event_loop", 0);
  closed.closed = 12;
  EXPECT_EQ(connections_for(closed, 5ms), 12U);
}

TEST(ServedModel, AnswersEachSeedWithTheDigestOfInline) {
  TrialRunner runner(::testing::TempDir() + "precipice-served");
  TargetRunner client;
  for (const ModelInfo& model : models()) {
    if (model.control) continue;
    const TrialRequest request = request_for(std::string(model.name), 400);
    const Trial trial =
        run_served(request, runner.digests_of(request.workload), PRECIPICE_BINARY, client, {});
    EXPECT_FALSE(trial.model_fault) << model.name << ": " << trial.invalid_reasons.back().text;
    EXPECT_EQ(trial.counts.completed, trial.counts.sent) << model.name;
    EXPECT_GT(trial.counts.completed, 50U);
    EXPECT_TRUE(trial.network->errors.empty());
    EXPECT_EQ(trial.request.model.to_string(), std::string(model.name) + "|http");
    EXPECT_EQ(trial.request.target, nullptr);
    EXPECT_FALSE(trial.model_stats.empty());
  }
}

TEST(ServedModel, IsAtFaultWhereAnAnswerIsWrong) {
  TrialRunner runner(::testing::TempDir() + "precipice-served");
  TargetRunner client;
  const TrialRequest request = request_for("event_loop", 400);
  std::vector<std::uint64_t> digests = runner.digests_of(request.workload);
  for (std::uint64_t& digest : digests) ++digest;
  const Trial trial = run_served(request, digests, PRECIPICE_BINARY, client, {});
  EXPECT_TRUE(trial.model_fault);
  EXPECT_EQ(trial.counts.completed, 0U);
  EXPECT_GT(trial.network->errors.at("wrong_answer"), 0U);
}

TEST(ServedModel, SaysWhyItDidNotStart) {
  TargetRunner client;
  TrialRequest request = request_for("event_loop", 400);
  request.workload = {"file", {{"size", "1"}}};
  try {
    run_served(request, {}, PRECIPICE_BINARY, client, {});
    FAIL();
  } catch (const std::exception& why) {
    EXPECT_NE(std::string(why.what()).find("file"), std::string::npos) << why.what();
  }
}

}  // namespace
}  // namespace precipice
