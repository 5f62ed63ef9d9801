// Policies on the virtual clock against closed forms, each at three sets of parameters, and against
// the oracle's own simulation where a chain passes every request through.
#include "harness/trial/simulated_policies.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/trial/policy_chain.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "tests/support/simulated_policy.hpp"

namespace precipice {
namespace {

using namespace precipice::testing;

/// Where a decreasing function crosses a value.
double crossing(const std::function<double(double)>& tail, double value, double low, double high) {
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (tail(middle) > value ? low : high) = middle;
  }
  return low;
}

class PassThrough : public ::testing::TestWithParam<Keys> {};

TEST_P(PassThrough, IsTheOracleItself) {
  for (const std::uint64_t closed : {0, 3}) {
    TrialRequest request = request_of(GetParam(), "", 700, 20'000);
    request.drain = std::chrono::seconds(1);
    if (closed > 0) {
      request.closed = closed;
      request.rate_per_s = 0;
    }
    const Trial bare = simulate_trial(request);
    request.policies = parse_policies("none");
    const Trial passed = simulate_trial(request);
    EXPECT_EQ(bare.checksum, passed.checksum);
    EXPECT_EQ(bare.counts.completed, passed.counts.completed);
    EXPECT_EQ(bare.counts.shed, passed.counts.shed);
    EXPECT_EQ(bare.counts.unfinished, passed.counts.unfinished);
    EXPECT_EQ(bare.goodput_per_s, passed.goodput_per_s);
    // Sums of the same times in another order differ in their last digits.
    EXPECT_NEAR(bare.response.mean, passed.response.mean, 2);
    EXPECT_NEAR(static_cast<double>(bare.response.p50), static_cast<double>(passed.response.p50),
                2);
    EXPECT_NEAR(static_cast<double>(bare.response.p999), static_cast<double>(passed.response.p999),
                2);
    EXPECT_NEAR(static_cast<double>(bare.response.max), static_cast<double>(passed.response.max),
                2);
    EXPECT_NEAR(bare.in_flight_mean, passed.in_flight_mean, 1e-5 * bare.in_flight_mean);
    EXPECT_EQ(passed.attempts->won, passed.attempts->begun - passed.attempts->refused);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Queues, PassThrough,
    ::testing::Values(Keys{}, Keys{{"service", "exponential"}},
                      Keys{{"service", "exponential"}, {"servers", "3"}, {"mean", "3ms"}},
                      Keys{{"service", "exponential"}, {"discipline", "ps"}},
                      Keys{{"servers", "2"}, {"discipline", "ps"}, {"mean", "2ms"}},
                      Keys{{"service", "lognormal(1)"},
                           {"discipline", "random_split"},
                           {"servers", "4"},
                           {"mean", "4ms"}},
                      Keys{{"service", "exponential"}, {"queue", "5"}},
                      Keys{{"stall_at", "2s"}, {"stall_for", "100ms"}}));

TEST(SimulatedHedge, CutsTheTailAsItsClosedFormSays) {
  // P(R > t) = F(t) up to the delay, then F(t) F(t - d); further attempts: F(d).
  for (const double delay : {1.0, 2.0, 4.0}) {
    const auto tail = [&](double t) {
      return t < delay ? std::exp(-t) : std::exp(-t) * std::exp(-(t - delay));
    };
    const double p99 = crossing(tail, 0.01, 0, 20);
    const Trial trial = run({{"servers", "4096"}, {"mean", "1ms"}, {"service", "exponential"}},
                            "hedge:after=" + std::to_string(delay) + "ms", 1000);
    expect_near(static_cast<double>(trial.response.p99), p99 * kMs, 0.03, "p99");
    // The mean is the integral of the tail.
    const double mean = 1 - std::exp(-delay) + std::exp(-delay) / 2;
    expect_near(trial.response.mean, mean * kMs, 0.01, "mean");
    const auto begun = static_cast<double>(trial.attempts->begun);
    expect_near(begun / static_cast<double>(trial.attempts->won), 1 + std::exp(-delay), 0.01,
                "attempts");
    EXPECT_EQ(trial.attempts->lost, trial.attempts->begun - trial.attempts->won);
    // By Little's law as many attempts execute at once as begin within a service.
    expect_near(trial.attempts->execution_mean_ns, kMs, 0.01, "execution");
    expect_near(trial.attempts->executing_mean, 1 + std::exp(-delay), 0.01, "executing");
  }
}

TEST(SimulatedHedge, HelpsTheLognormalWithStragglers) {
  // 5% of the services are ten times as long: p99 falls to a quarter for some 8% more work.
  const Keys oracle = {{"servers", "4096"}, {"mean", "7.25ms"}, {"service", "bimodal(0.95,1,10)"}};
  const Trial bare = run(oracle, "none", 1000);
  const Trial hedged = run(oracle, "hedge:after=6ms", 1000);
  EXPECT_GT(bare.response.p99, 3 * hedged.response.p99);
  // Both slow, one in 400, is beyond the 99th percentile; one slow ends with the other at 11 ms.
  expect_near(static_cast<double>(hedged.response.p99), (6 + 5) * kMs, 0.03, "p99");
  expect_near(
      static_cast<double>(hedged.attempts->begun) / static_cast<double>(hedged.attempts->won), 1.05,
      0.01, "attempts");
}

TEST(SimulatedHedge, TiedOnTwoQueuesIsOneQueueOfTwoServers) {
  // M/M/2 (Erlang C): mean response 1 / (1 - rho^2).
  for (const double rho : {0.3, 0.5, 0.8}) {
    const Repeated trials(rho > 0.7 ? 6 : 1,
                          {{"servers", "2"},
                           {"mean", "1ms"},
                           {"service", "exponential"},
                           {"discipline", "random_split"}},
                          "hedge:after=0,tied=yes", 2000 * rho);
    expect_near(trials.mean_ms(), 1 / (1 - rho * rho), 0.01, "mean");
    for (const Trial& trial : trials.all()) {
      EXPECT_EQ(trial.attempts->cancelled, trial.attempts->won);
      EXPECT_EQ(trial.attempts->lost, 0U);
    }
  }
}

TEST(SimulatedHedge, OfEverythingHelpsBelowAThirdOfTheLoadOnly) {
  // 1 / (2 (m - 2 L)) against 1 / (m - L), where queues are many enough to be independent.
  for (const double rho : {0.2, 1.0 / 3, 0.42}) {
    const Keys oracle = {{"servers", "200"},
                         {"mean", "1ms"},
                         {"service", "exponential"},
                         {"discipline", "random_split"}};
    const Repeated hedged(rho > 0.4   ? 3
                          : rho > 0.3 ? 2
                                      : 1,
                          oracle, "hedge:after=0", 200'000 * rho);
    expect_near(hedged.mean_ms(), 1 / (2 * (1 - 2 * rho)), 0.01, "hedged");
    const Repeated bare(1, oracle, "none", 200'000 * rho);
    expect_near(bare.mean_ms(), 1 / (1 - rho), 0.01, "bare");
  }
}

TEST(SimulatedHedge, KeepsToItsBudget) {
  const Trial trial = run({{"servers", "4096"}, {"mean", "1ms"}, {"service", "exponential"}},
                          "hedge:after=500us,budget=5%", 1000);
  expect_near(static_cast<double>(trial.attempts->begun) / static_cast<double>(trial.attempts->won),
              1.05, 0.002, "attempts");
}

TEST(SimulatedHedge, FindsAPercentileByItself) {
  const Trial trial = run({{"servers", "4096"}, {"mean", "1ms"}, {"service", "exponential"}},
                          "hedge:after=p95", 1000);
  expect_near(static_cast<double>(trial.attempts->begun) / static_cast<double>(trial.attempts->won),
              1.05, 0.01, "attempts");
}

TEST(SimulatedFan, WaitsForTheSlowestLeaf) {
  // F(t)^n, or the k-th of n.
  struct Case {
    int out, need;
  };
  for (const auto& [out, need] : {Case{10, 10}, Case{100, 100}, Case{10, 8}}) {
    const auto tail = [&, out = out, need = need](double t) {
      const double p = 1 - std::exp(-t);  // of one leaf
      double fewer = 0, ways = 1;
      for (int k = 0; k < need; ++k) {
        fewer += ways * std::pow(p, k) * std::pow(1 - p, out - k);
        ways *= static_cast<double>(out - k) / (k + 1);
      }
      return fewer;
    };
    const Trial trial =
        run({{"servers", "4096"}, {"mean", "1ms"}, {"service", "exponential"}},
            "fan:out=" + std::to_string(out) + ",need=" + std::to_string(need), 100, 40'000);
    expect_near(static_cast<double>(trial.response.p50), crossing(tail, 0.5, 0, 30) * kMs, 0.01,
                "p50");
    expect_near(static_cast<double>(trial.response.p99), crossing(tail, 0.01, 0, 30) * kMs, 0.03,
                "p99");
    EXPECT_EQ(trial.attempts->begun, trial.attempts->won + trial.attempts->lost);
  }
  // One leaf in a hundred is slow, and 63 of 100 requests with it.
  const Trial slow =
      run({{"servers", "4096"}, {"mean", "1.09ms"}, {"service", "bimodal(0.99,1,10)"}},
          "fan:out=100", 100, 60'000);
  const auto beyond = static_cast<double>(slow.response_histogram.count_beyond(5 * kMs));
  expect_near(beyond / static_cast<double>(slow.counts.completed), 1 - std::pow(0.99, 100), 0.01,
              "slow");
}

TEST(SimulatedRetry, AmplifiesByTheShareOfTimeouts) {
  // (1 - p^(r+1)) / (1 - p), and p^(r+1) of the requests fail.
  struct Case {
    double timeout;
    int tries;
  };
  for (const auto& [timeout, tries] : {Case{1, 2}, Case{1, 4}, Case{2, 3}}) {
    const double p = std::exp(-timeout);
    const Trial trial =
        run({{"servers", "4096"}, {"mean", "1ms"}, {"service", "exponential"}},
            "retry:timeout=" + std::to_string(timeout) + "ms,tries=" + std::to_string(tries), 1000);
    const double requests = static_cast<double>(trial.counts.sent);
    expect_near(static_cast<double>(trial.attempts->begun) / requests,
                (1 - std::pow(p, tries)) / (1 - p), 0.01, "attempts");
    EXPECT_NEAR(trial.loss(), std::pow(p, tries), 0.002 * kRoom);
    EXPECT_EQ(trial.errors.at(ETIMEDOUT), trial.counts.failed);
  }
}

TEST(SimulatedLimit, FixedIsErlangsLoss) {
  // M/M/c/c: nobody waits where the limit is the servers.
  for (const double load : {0.5, 2.0, 4.0}) {
    const Trial trial = run({{"servers", "4"}, {"mean", "1ms"}, {"service", "exponential"}},
                            "limit:limit=4", 1000 * load);
    EXPECT_NEAR(trial.loss(), erlang_b(4, load), 0.002 * kRoom) << load;
    EXPECT_EQ(trial.refusals.at("policy"), trial.counts.shed);
  }
}

TEST(SimulatedLimit, VegasRestsWhereAFewRequestsWait) {
  for (const int servers : {4, 16, 64}) {
    const Trial trial = run({{"servers", std::to_string(servers)}, {"mean", "1ms"}},
                            "limit:kind=vegas", 1500.0 * servers, 3000.0 * servers);
    EXPECT_GE(stat(trial, "limit"), servers + 2) << servers;
    EXPECT_LE(stat(trial, "limit"), servers + 7) << servers;
  }
}

TEST(SimulatedLimit, GradientRestsAtTheServersAndTheirRoot) {
  struct Case {
    int servers;
    double buffer;
  };
  for (const auto& [servers, buffer] : {Case{9, 0}, Case{16, 0.5}, Case{64, 0}}) {
    const double x = servers * (1 + buffer);
    const Trial trial = run({{"servers", std::to_string(servers)}, {"mean", "1ms"}},
                            "limit:kind=gradient,buffer=" + std::to_string(buffer),
                            10'000.0 * servers, 30'000.0 * servers);
    EXPECT_NEAR(stat(trial, "limit"), std::floor(x + std::sqrt(x)), 1) << servers;
  }
}

TEST(SimulatedQueue, InOrderOfArrivalIsTheOraclesOwn) {
  for (const double rate : {300.0, 600.0, 800.0}) {
    const Keys oracle = {{"mean", "1ms"}, {"service", "exponential"}};
    const Trial queued = run(oracle, "queue:running=1", rate);
    const Trial bare = run(oracle, "none", rate);
    EXPECT_NEAR(queued.response.mean, bare.response.mean, 10) << rate;
    EXPECT_NEAR(static_cast<double>(queued.response.p999), static_cast<double>(bare.response.p999),
                10);
  }
}

TEST(SimulatedQueue, LastInFirstOutKeepsTheMeanAndSpreadsTheWaits) {
  // E[W^2] is that of the order of arrival over 1 - rho (Kingman 1962).
  for (const double rho : {0.3, 0.5, 0.7}) {
    const Keys oracle = {{"mean", "1ms"}, {"service", "exponential"}};
    const Repeated fifo(1, oracle, "queue:running=1", 1000 * rho);
    const Repeated lifo(rho > 0.6 ? 3 : 1, oracle, "queue:running=1,order=lifo", 1000 * rho);
    expect_near(fifo.mean_ms(), 1 / (1 - rho), 0.01, "mean in order of arrival");
    expect_near(lifo.mean_ms(), 1 / (1 - rho), 0.01, "mean");
    // Response is wait plus an independent service: its variance less that of a service is the
    // wait's.
    const auto wait_square = [&](const Trial& trial) {
      const double wait = trial.response.mean - kMs;
      return std::pow(trial.response_scatter.deviation, 2) - kMs * kMs + wait * wait;
    };
    // 3%, as for a percentile: a second moment rests on the longest waits, and its scatter on their
    // fourth.
    const double in_order = 2 * rho * kMs * kMs / std::pow(1 - rho, 2);
    expect_near(fifo.of(wait_square), in_order, 0.03, "second moment in order of arrival");
    expect_near(lifo.of(wait_square), in_order / (1 - rho), 0.03, "second moment");
  }
}

TEST(SimulatedQueue, IsAPoolOfConnections) {
  // A pool of N connections is M/M/N; one for each request has no queue, and each pays its set-up.
  struct Case {
    int connections;
    double load;
  };
  for (const auto& [connections, load] : {Case{4, 3}, Case{16, 13}, Case{64, 58}}) {
    const double blocked = erlang_b(connections, load);
    const double waits = blocked / (1 - load / connections * (1 - blocked));
    const Repeated pool(1, {{"servers", "4096"}, {"mean", "1ms"}, {"service", "exponential"}},
                        "queue:running=" + std::to_string(connections), 1000 * load);
    expect_near(pool.mean_ms(), 1 + waits / (connections - load), 0.01,
                std::to_string(connections) + " connections");
  }
  for (const double set_up_ms : {0.1, 1.0, 4.0}) {
    const Repeated each(1,
                        {{"servers", "4096"},
                         {"mean", std::to_string(1 + set_up_ms) + "ms"},
                         {"service", "exponential"}},
                        "none", 10'000, 400'000);
    expect_near(each.mean_ms(), 1 + set_up_ms, 0.01, "one for each request");
  }
}

TEST(SimulatedQueue, RefusesWhatBeginsAfterItsDeadline) {
  // M/M/1+D: p0 = 1 / (1 + L (1 - e) / (m - L) + rho e), loss = p0 rho e.
  struct Case {
    double rho, deadline;
  };
  for (const auto& [rho, deadline] : {Case{0.8, 2}, Case{1.5, 5}, Case{0.95, 1}}) {
    const double e = std::exp(-(1 - rho) * deadline);
    const double p0 = 1 / (1 + rho * (1 - e) / (1 - rho) + rho * e);
    const Trial trial = run(
        {{"mean", "1ms"}, {"service", "exponential"}},
        "queue:running=1,drop=deadline,deadline=" + std::to_string(deadline) + "ms", 1000 * rho);
    EXPECT_NEAR(trial.loss(), p0 * rho * e, 0.002 * kRoom) << rho;
    EXPECT_EQ(trial.refusals.at("deadline"), trial.counts.shed);
  }
}

TEST(SimulatedThrottle, SendsAtMostKTimesWhatGetsThrough) {
  // min(R, K x capacity): a queue of one server that refuses what does not fit.
  for (const double k : {1.1, 2.0, 3.0}) {
    const Trial trial =
        run({{"mean", "1ms"}, {"queue", "5"}}, "throttle:window=2s,k=" + std::to_string(k), 5000);
    const double got_through = static_cast<double>(trial.counts.completed);
    expect_near(static_cast<double>(trial.attempts->begun) / got_through, k, 0.01, "sent");
    EXPECT_EQ(trial.attempts->refused, trial.attempts->begun - trial.counts.completed);
  }
}

TEST(SimulatedChains, NestAndStayConserved) {
  // Each attempt is known to every layer, whatever stands around it.
  for (const char* chain :
       {"hedge:after=1ms|batch:size=4,linger=1ms", "batch:size=4,linger=1ms|hedge:after=2ms",
        "retry:timeout=3ms,tries=3,backoff=1ms|hedge:after=1ms,tied=yes",
        "hedge:after=1ms|retry:timeout=3ms,tries=3", "fan:out=3,need=2|hedge:after=1ms",
        "limit:limit=40|fan:out=3|queue:running=8,order=lifo",
        "retry:timeout=3ms,tries=2|choose:by=stress,up=6,down=2,first=(hedge:after=1ms),"
        "second=(fan:out=3,need=1)|hedge:after=2ms,tied=yes",
        "hedge:after=1ms|choose:by=stress,up=3,down=1,second=(batch:size=2,linger=1ms)|batch:size="
        "2,"
        "linger=1ms",
        "throttle|retry:timeout=2ms|limit:limit=9|batch:size=3,linger=1ms"}) {
    for (const char* discipline : {"fcfs", "random_split"}) {
      const Trial trial = run({{"servers", "8"},
                               {"mean", "2ms"},
                               {"service", "exponential"},
                               {"discipline", discipline}},
                              chain, 200, 10'000);
      EXPECT_GT(trial.counts.completed, 0U) << chain;
      EXPECT_LE(trial.attempts->little_error, 1e-5) << chain;
      EXPECT_EQ(trial.counts.sent, trial.counts.completed + trial.counts.failed +
                                       trial.counts.shed + trial.counts.unfinished)
          << chain;
    }
  }
}

}  // namespace
}  // namespace precipice
