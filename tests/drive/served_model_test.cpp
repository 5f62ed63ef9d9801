// Models over HTTP: the server's command line, and whole trials with the program as the server.
#include "harness/drive/served_model.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "harness/trial/policy_chain.hpp"
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
  request.generator_cpus = request.model_cpus = CpuSet::of_this_thread();
  return request;
}

/// For the message of a test that failed on a machine where nobody can look.
std::string describe(const Trial& trial) {
  std::string text = fmt::format(
      ": {} sent, {} completed, {} failed, {} unfinished, drain {:.3g} s", trial.counts.sent,
      trial.counts.completed, trial.counts.failed, trial.counts.unfinished, trial.drain_s);
  for (const InvalidReason& reason : trial.invalid_reasons) text += "; " + reason.text;
  if (trial.network) {
    for (const auto& [kind, count] : trial.network->errors)
      text += fmt::format("; {} {}", count, kind);
  }
  return text;
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

TEST(ServedModel, IsStartedWithItsPolicies) {
  TrialRequest request = request_for("fixed_pool", 500);
  request.policies = parse_policies("limit:limit=9|batch:size=2");
  const std::vector<std::string> command = serve_command("p", request, 10);
  const auto has = [&](const std::string& word, const std::string& after) {
    for (auto at = command.begin(); at + 1 < command.end(); ++at) {
      if (*at == word && *(at + 1) == after) return true;
    }
    return false;
  };
  EXPECT_TRUE(has("--policy", "limit:limit=9"));
  EXPECT_TRUE(has("--policy", "batch:size=2"));
  EXPECT_EQ(std::count(command.begin(), command.end(), "--keepalive"), 0);
  const auto places = std::find(command.begin(), command.end(), "--policy-requests");
  ASSERT_NE(places, command.end());
  EXPECT_GE(std::stoul(*(places + 1)), request.schedule().size());
  request.policies = parse_policies("limit");
  const std::vector<std::string> reusing = serve_command("p", request, 10);
  EXPECT_EQ(std::count(reusing.begin(), reusing.end(), "--policy-requests"), 0);
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
    EXPECT_EQ(trial.counts.completed, trial.counts.sent) << model.name << describe(trial);
    EXPECT_GT(trial.counts.completed, 50U);
    EXPECT_TRUE(trial.network->errors.empty());
    EXPECT_EQ(trial.request.model.to_string(), std::string(model.name) + "|http");
    EXPECT_EQ(trial.request.target, nullptr);
    EXPECT_FALSE(trial.model_stats.empty()) << describe(trial);
  }
}

double stat(const Trial& trial, std::string_view name) {
  for (const auto& [each, value] : trial.model_stats) {
    if (each == name) return value;
  }
  ADD_FAILURE() << "no figure called " << name;
  return -1;
}

TEST(ServedModel, HasClientsThatAreSlowAndConnectionsThatEnd) {
  TrialRunner runner(::testing::TempDir() + "precipice-served");
  TargetRunner client;
  for (const char* model : {"event_loop", "fixed_pool"}) {
    for (const char* transport :
         {"http:requests_per_connection=1", "http:requests_per_connection=2",
          "http:slow_clients=6,slow_interval=10ms",
          "http:slow=body,slow_clients=6,slow_interval=10ms",
          "http:slow=idle,slow_clients=6,slow_interval=10ms"}) {
      TrialRequest request = request_for(model, 400);
      request.model.policy = transport;
      const Trial trial =
          run_served(request, runner.digests_of(request.workload), PRECIPICE_BINARY, client, {});
      const std::string what = std::string(model) + "|" + transport;
      EXPECT_EQ(trial.request.model.to_string(), what);
      EXPECT_FALSE(trial.model_fault) << what;
      EXPECT_EQ(trial.counts.completed, trial.counts.sent) << what;
      EXPECT_GT(trial.counts.completed, 50U) << what;
      EXPECT_TRUE(trial.network->errors.empty()) << what;
      const bool slow = what.find("slow_clients") != std::string::npos;
      EXPECT_EQ(trial.network->slow_clients, slow ? 6U : 0U) << what;
      if (!slow) {
        EXPECT_GT(trial.network->connects, 10U) << what;
      }
    }
  }
}

TEST(ServedModel, TakesItsRequestsThroughPolicies) {
  TrialRunner runner(::testing::TempDir() + "precipice-served");
  TargetRunner client;
  for (const char* model : {"event_loop", "work_stealing"}) {
    for (const char* policy : {"batch:size=4,linger=2ms", "limit:limit=2"}) {
      TrialRequest request = request_for(model, 400);
      request.policies = parse_policies(policy);
      request.model.policy = "tested|http";
      const Trial trial =
          run_served(request, runner.digests_of(request.workload), PRECIPICE_BINARY, client, {});
      const std::string what = std::string(model) + " " + policy;
      EXPECT_FALSE(trial.model_fault) << what;
      EXPECT_EQ(trial.request.model.to_string(), std::string(model) + "|tested|http");
      EXPECT_EQ(trial.counts.completed + trial.counts.shed, trial.counts.sent) << what;
      EXPECT_GT(trial.counts.completed, 0U) << what;
      EXPECT_TRUE(trial.network->errors.empty()) << what;
      EXPECT_FALSE(trial.attempts) << "of the warm-up too, so they are among the model's figures";
      EXPECT_EQ(stat(trial, "attempts_begun"),
                stat(trial, "attempts_won") + stat(trial, "attempts_failed") +
                    stat(trial, "attempts_refused") + stat(trial, "attempts_cancelled") +
                    stat(trial, "attempts_lost") + stat(trial, "attempts_unfinished"))
          << what;
      if (policy[0] == 'b') {
        EXPECT_EQ(trial.counts.shed, 0U) << what;
        EXPECT_GT(stat(trial, "batches"), 0) << what;
        EXPECT_TRUE(trial.batch) << what;
      } else {
        EXPECT_GE(stat(trial, "attempts_won"), static_cast<double>(trial.counts.completed)) << what;
      }
    }
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
