// Choice among replicas on the virtual clock: against M/M/1, against the limit of many queues, and
// against a Markov chain of two that is solved by iteration.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/support/simulated_policy.hpp"

namespace precipice {
namespace {

using namespace precipice::testing;

Keys replicas(unsigned count) {
  return {{"servers", std::to_string(count)},
          {"discipline", "random_split"},
          {"mean", "1ms"},
          {"service", "exponential"}};
}

Repeated choose(int trials, const std::string& pick, unsigned count, double rho,
                double requests = 1'000'000) {
  return {trials, replicas(count),
          "choose:by=replica,replicas=" + std::to_string(count) + ",pick=" + pick,
          1000 * count * rho, requests};
}

/// Mean response, in services, of two M/M/1 queues whose arrivals join the shorter one: the
/// stationary distribution of both lengths by power iteration, and Little's law.
double join_the_shorter_of_two(double rho) {
  constexpr int kMost = 80;  // longer queues have no weight at the loads below
  const double arrivals = 2 * rho, all = arrivals + 2;
  std::vector<double> now(kMost * kMost, 0), next(kMost * kMost);
  now[0] = 1;
  for (int step = 0; step < 20'000; ++step) {
    std::fill(next.begin(), next.end(), 0);
    for (int i = 0; i < kMost; ++i) {
      for (int j = 0; j < kMost; ++j) {
        const double p = now[static_cast<std::size_t>(i * kMost + j)];
        if (p < 1e-18) continue;
        const auto to = [&](int a, int b, double rate) {
          next[static_cast<std::size_t>(std::min(a, kMost - 1) * kMost + std::min(b, kMost - 1))] +=
              p * rate / all;
        };
        if (i == j) {
          to(i + 1, j, arrivals / 2);
          to(i, j + 1, arrivals / 2);
        } else {
          to(i + (i < j ? 1 : 0), j + (j < i ? 1 : 0), arrivals);
        }
        to(std::max(0, i - 1), j, 1);
        to(i, std::max(0, j - 1), 1);
      }
    }
    now.swap(next);
  }
  double in_system = 0;
  for (int i = 0; i < kMost; ++i) {
    for (int j = 0; j < kMost; ++j)
      in_system += now[static_cast<std::size_t>(i * kMost + j)] * (i + j);
  }
  return in_system / arrivals;
}

TEST(Replicas, ARandomChoiceIsAQueueOfItsOwnForEach) {
  for (const double rho : {0.3, 0.6, 0.8}) {
    // The scatter of a mean grows with 1 / (1 - rho): 0.9% for a million requests at 0.8.
    const Repeated trials = choose(rho > 0.7 ? 6 : 1, "random", 20, rho);
    expect_near(trials.mean_ms(), 1 / (1 - rho), 0.01, "mean");
    expect_near(trials.p99_ms(), std::log(100) / (1 - rho), 0.03, "p99");
  }
}

TEST(Replicas, TwoChoicesAreWhatTheirLimitSays) {
  // E[T] = S sum_i rho^(2^i - 2) for many queues (Mitzenmacher 2001, "The power of two choices in
  // randomized load balancing").
  for (const double rho : {0.5, 0.7, 0.9}) {
    double expected = 0;
    for (int i = 1; i < 20; ++i) expected += std::pow(rho, std::pow(2.0, i) - 2);
    const Repeated trials = choose(rho > 0.8 ? 3 : 1, "two", 250, rho);
    expect_near(trials.mean_ms(), expected, 0.01, "mean of two choices");
  }
}

TEST(Replicas, OfTwoTheShorterQueueIsJoined) {
  for (const double rho : {0.5, 0.7, 0.8}) {
    const double expected = join_the_shorter_of_two(rho);
    for (const char* pick : {"two", "least"}) {
      const Repeated trials = choose(rho > 0.7 ? 3 : 1, pick, 2, rho);
      expect_near(trials.mean_ms(), expected, 0.01, pick);
    }
  }
}

TEST(Replicas, TheLeastOfAllIsTheLowestMean) {
  const double rho = 0.8;
  const double two_ms = choose(1, "two", 20, rho, 200'000).mean_ms().mean;
  const double least_ms = choose(1, "least", 20, rho, 200'000).mean_ms().mean;
  EXPECT_LT(least_ms, two_ms);
  EXPECT_GT(least_ms, 1);
}

TEST(Replicas, AWriteReachesEachOfThemOnce) {
  // Alone in the system it meets no queue, so that all of its attempts take exactly S; where the
  // model spreads them, some meet the same server.
  Keys fixed = replicas(8);
  fixed["service"] = "fixed";
  const Trial each = run(fixed, "fan:out=8,to=replicas", 1, 2'000);
  expect_near(each.response.mean, kMs, 0.01, "mean");
  EXPECT_EQ(each.attempts->begun, 8 * each.counts.sent);
  const Trial any = run(fixed, "fan:out=8", 1, 2'000);
  EXPECT_GT(any.response.mean, 1.5 * kMs);
}

TEST(Replicas, ReadsScaleAndWritesDoNot) {
  // Reads go to one of four replicas, writes in batches to all. Servers are busy for
  // L ((1 - w) S / n + w (t0 / b + a)); the closed form of the largest L is where that is 1.
  Keys downstream = {
      {"servers", "4"}, {"discipline", "random_split"}, {"fixed", "1ms"}, {"item", "100us"}};
  const std::string chain =
      "choose:by=class,first=(choose:by=replica,replicas=4,pick=two),"
      "second=(batch:size=16,linger=1s|fan:out=4,to=replicas)";
  const auto at = [&](double share_of_writes, double load) {
    const double read_s = 1.1e-3 / 4, write_s = 1e-3 / 16 + 100e-6;
    const double most = 1 / ((1 - share_of_writes) * read_s + share_of_writes * write_s);
    TrialRequest request = request_of(downstream, chain, load * most, kRequests * 200'000);
    request.classes = {{.name = "read", .share = 1 - share_of_writes},
                       {.name = "write", .share = share_of_writes}};
    return simulate_trial(request);
  };
  for (const double writes : {0.1, 0.3, 0.6}) {
    const Trial below = at(writes, 0.95), above = at(writes, 1.05);
    // Below, queues are short; above, they grow by 5% of the time that has passed.
    const double half_way = 0.5 * 0.05 * seconds(above.request.window);
    EXPECT_LT(static_cast<double>(below.classes[0].response.p99) * 1e-9, half_way) << writes;
    EXPECT_GT(static_cast<double>(above.classes[0].response.p99) * 1e-9, half_way) << writes;
  }
}

TEST(Replicas, OptionsThatDoNotBelongAreNamed) {
  const auto complaint = [](const std::string& text) -> std::string {
    try {
      parse_policies(text);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(complaint("choose:by=replica").find("replicas=N"), std::string::npos);
  EXPECT_NE(complaint("choose:by=replica,replicas=2,up=3").find("up belongs"), std::string::npos);
  EXPECT_NE(complaint("choose:by=class,pick=two").find("by=replica"), std::string::npos);
  EXPECT_NE(complaint("choose:by=replica,replicas=256").find("255"), std::string::npos);
  EXPECT_NE(complaint("choose:by=replica,replicas=2,pick=best").find("pick"), std::string::npos);
  EXPECT_NE(complaint("fan:out=256,to=replicas").find("255"), std::string::npos);
  EXPECT_EQ(complaint("fan:out=255,to=replicas"), "");
}

}  // namespace
}  // namespace precipice
