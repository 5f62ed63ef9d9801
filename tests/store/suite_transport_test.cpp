// `transport` of a suite: which series are served over HTTP, with what clients, and what is
// refused.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/store/suite.hpp"
#include "harness/store/suite_writer.hpp"
#include "harness/trial/policy_chain.hpp"
#include "harness/trial/spec.hpp"
#include "harness/trial/transport.hpp"

namespace precipice {
namespace {

constexpr const char* kHead = R"(schema = 1
name = "t"
slo = "p99 < 25ms"
)";
constexpr const char* kPolicy = R"(
[[policy]]
name = "limited"
chain = "limit:limit=500"
)";

std::string suite(const std::string& model, const std::string& load = "") {
  return std::string(kHead) + load + kPolicy + "[[model]]\nuse = \"event_loop\"\n" + model +
         "[[workload]]\nuse = \"sleep\"\n";
}
Plan parse(const std::string& text) { return parse_suite(text, "t.toml"); }
std::vector<std::string> series_of(const Plan& plan) {
  std::vector<std::string> series;
  for (const Spec& model : plan.models) series.push_back(model.to_string());
  return series;
}
std::string complaint(const std::string& text) {
  try {
    parse(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(SuiteTransport, MakesASeriesOfEachPolicyAndTransport) {
  const Plan plan = parse(suite(R"(policy = ["none", "limited"]
transport = ["none", "http", "http:slow_clients=20,requests_per_connection=1"]
)"));
  const std::string busy = "http:requests_per_connection=1,slow_clients=20";
  EXPECT_EQ(series_of(plan),
            (std::vector<std::string>{"event_loop", "event_loop|limited", "event_loop|http",
                                      "event_loop|limited|http", "event_loop|" + busy,
                                      "event_loop|limited|" + busy}));
  for (const Spec& model : plan.models) {
    const bool limited = model.policy.find("limited") != std::string::npos;
    EXPECT_EQ(to_string(plan.policies_of(model)), limited ? "limit:limit=500" : "");
    EXPECT_EQ(policy_name(model), limited ? "limited" : "");
    const Spec read = parse_series(model.to_string(), "series");
    EXPECT_EQ(read.policy, model.policy);
    EXPECT_EQ(over_http(read), over_http(model));
  }
  const Transport transport = parse_transport(transport_text(plan.models.back()));
  EXPECT_EQ(transport.requests_per_connection, 1U);
  EXPECT_EQ(transport.slow.count, 20U);
  EXPECT_EQ(transport.slow.kind, SlowKind::header);
}

TEST(SuiteTransport, IsWrittenAndReadBack) {
  const Plan plan = parse(suite(R"(policy = ["none", "limited"]
transport = ["none", "http", "http:slow_clients=20,slow=body,slow_interval=100ms"]
)"));
  const Plan again = parse(to_toml(plan));
  EXPECT_EQ(series_of(again), series_of(plan));
  EXPECT_EQ(plan_hash(again), plan_hash(plan));
}

TEST(SuiteTransport, OfTheLoadIsThatOfEveryModelWithoutItsOwn) {
  const std::string load = "[load]\ntransport = \"http:slow_clients=5\"\n";
  EXPECT_EQ(series_of(parse(suite("policy = \"limited\"\n", load))),
            (std::vector<std::string>{"event_loop|limited|http:slow_clients=5"}));
  EXPECT_EQ(series_of(parse(suite("transport = \"http\"\n", load))),
            (std::vector<std::string>{"event_loop|http"}));
}

TEST(SuiteTransport, SaysWhatContradicts) {
  for (const auto& [transport, why] : std::vector<std::pair<std::string, std::string>>{
           {"https", "is no transport"},
           {"http:slow=body", "give slow_clients too"},
           {"http:slow_interval=2s", "give slow_clients too"},
           {"http:slow_clients=5,slow=soon", "slow in header, body, read or idle"},
           {"http:slow_clients=5,slow_interval=1ms", "interval of slow clients"},
           {"http:slow_clients=20000,slow_interval=10ms", "bytes a second"},
           {"http:requests_per_connection=many", "whole number"},
           {"http:slow_client=5", "slow_clients"}}) {
    const std::string said = complaint(suite("transport = \"" + transport + "\"\n"));
    EXPECT_NE(said.find(why), std::string::npos) << transport << ": " << said;
    EXPECT_NE(said.find("t.toml:"), std::string::npos) << said;
  }
  EXPECT_NE(complaint(suite("transport = []\n")).find("no series"), std::string::npos);
  const std::string twice = complaint(suite("transport = [\"http\", \"http\"]\n"));
  EXPECT_NE(twice.find("there twice"), std::string::npos) << twice;
  const std::string named = complaint(std::string(kHead) +
                                      "[[policy]]\nname = \"http\"\nchain = \"limit\"\n"
                                      "[[model]]\nuse = \"event_loop\"\n[[workload]]\nuse = "
                                      "\"sleep\"\n");
  EXPECT_NE(named.find("choose another"), std::string::npos) << named;
}

TEST(SuiteTransport, OfTargetsIsWhatTheirClientsDo) {
  const std::string text = std::string(kHead) + R"([[target]]
name = "mine"
url = "http://127.0.0.1:1/"
requests_per_connection = 7
slow_clients = 9
slow = "idle"
slow_interval = "250ms"
)";
  const Plan plan = parse(text);
  const auto check = [](const Plan& read) {
    const auto target = read.target_of(read.models.front());
    ASSERT_NE(target, nullptr);
    EXPECT_EQ(target->requests_per_connection, 7U);
    EXPECT_EQ(target->slow.count, 9U);
    EXPECT_EQ(target->slow.kind, SlowKind::idle);
    EXPECT_EQ(target->slow.interval, std::chrono::milliseconds(250));
  };
  check(plan);
  check(parse(to_toml(plan)));
  const std::string both = text.substr(0, text.find("requests_per")) +
                           "connection_per_request = true\nrequests_per_connection = 7\n";
  EXPECT_NE(complaint(both).find("for one request or for 7"), std::string::npos) << complaint(both);
}

}  // namespace
}  // namespace precipice
