// The policy batch on the virtual clock against closed forms, each at three sets of parameters.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/support/simulated_policy.hpp"

namespace precipice {
namespace {

using namespace precipice::testing;

TEST(SimulatedBatch, IsAsLargeAsArrivalsWithinTheLingerMakeIt) {
  // E[batch] = 1 + sum P(G_k <= T) and the mean wait for the batch, G_k of k exponential gaps.
  struct Case {
    double rate;
    int size;
    double linger_ms;
  };
  for (const auto& [rate, size, linger_ms] :
       {Case{1000, 16, 5}, Case{4000, 16, 5}, Case{2000, 4, 1}}) {
    const double mean = rate * linger_ms / 1000;  // arrivals within a linger
    const auto reached = [&](int k) {             // P(Poisson(mean) >= k)
      double term = std::exp(-mean), below = 0;
      for (int i = 0; i < k; ++i) {
        below += term;
        term *= mean / (i + 1);
      }
      return 1 - below;
    };
    double batch = 1;
    for (int k = 0; k <= size - 2; ++k) batch += reached(k + 1);
    double wait_s = 0;  // of all members together
    constexpr int kSteps = 20'000;
    for (int i = 0; i < kSteps; ++i) {
      const double t = (i + 0.5) / kSteps * linger_ms / 1000;
      // Members at t after the first, if the batch is still open.
      double term = std::exp(-rate * t), members = 0;
      for (int k = 0; k <= size - 2; ++k) {
        members += (k + 1) * term;
        term *= rate * t / (k + 1);
      }
      wait_s += members * linger_ms / 1000 / kSteps;
    }
    const Trial trial = run(
        {{"servers", "4096"}, {"mean", "1us"}},
        "batch:size=" + std::to_string(size) + ",linger=" + std::to_string(linger_ms) + "ms", rate);
    expect_near(trial.batch->mean, batch, 0.01, "batch");
    // A carrier of n members takes n times the mean there, which is next to nothing.
    expect_near(trial.response.mean - trial.batch->mean * 1000, wait_s * 1e9 / batch, 0.01, "wait");
    EXPECT_LE(trial.batch->p99, size);
  }
}

TEST(SimulatedBatch, OfAFixedSizeWaitsForHalfOfTheOthers) {
  for (const int size : {2, 8, 32}) {
    const Trial trial = run({{"servers", "4096"}, {"mean", "1us"}},
                            "batch:linger=200ms,size=" + std::to_string(size), 1000);
    expect_near(trial.response.mean - size * 1000, (size - 1) / (2 * 1000.0) * 1e9, 0.01, "wait");
    EXPECT_NEAR(trial.batch->mean, size, 0.01 * kRoom);
  }
}

TEST(SimulatedBatch, OfALingerAloneWaitsByIt) {
  // T (1 + L T / 2) / (1 + L T)
  for (const double linger_ms : {1.0, 5.0, 20.0}) {
    const double rate = 1000, n = rate * linger_ms / 1000;
    const Trial trial = run({{"servers", "4096"}, {"mean", "1us"}},
                            "batch:size=65536,linger=" + std::to_string(linger_ms) + "ms", rate);
    expect_near(trial.response.mean - 1000 * (1 + n), linger_ms * kMs * (1 + n / 2) / (1 + n), 0.01,
                "wait");
    expect_near(trial.batch->mean, 1 + n, 0.01, "batch");
  }
}

TEST(SimulatedBatch, CarriesWhatFixedAndPerItemCostsLeave) {
  // c b / (t0 + a b) under an overload; equal costs gain at most 1 + t0 / a.
  struct Case {
    const char *servers, *fixed, *item;
    double capacity;
  };
  for (const auto& [servers, fixed, item, capacity] :
       {Case{"1", "1ms", "100us", 16 / 2.6e-3}, Case{"2", "1ms", "1ms", 2 * 16 / 17e-3},
        Case{"4", "500us", "50us", 4 * 16 / 1.3e-3}}) {
    TrialRequest request = request_of({{"servers", servers}, {"fixed", fixed}, {"item", item}},
                                      "batch:size=16,linger=5ms", 1.5 * capacity, 100'000);
    const Trial trial = simulate_trial(request);
    expect_near(trial.goodput_per_s, capacity, 0.01, "goodput");
  }
}

TEST(SimulatedBatch, TakesAllThatWaitsWhenItIsFree) {
  // The chain of batches: the next one is what arrives while this one is served, at least one.
  for (const double rate : {500.0, 2000.0, 5000.0}) {
    const double fixed_s = 1e-3, item_s = 1e-4;
    constexpr int kMost = 400;
    std::vector<double> now(kMost + 1, 0.0);
    now[1] = 1;
    for (int round = 0; round < 400; ++round) {
      std::vector<double> next(kMost + 1, 0.0);
      for (int b = 1; b <= kMost; ++b) {
        if (now[b] < 1e-15) continue;
        const double mean = rate * (fixed_s + item_s * b);
        double term = std::exp(-mean);
        for (int k = 0; k <= kMost; ++k) {
          next[std::max(1, k)] += now[b] * term;
          term *= mean / (k + 1);
        }
      }
      now = next;
    }
    double batch = 0;
    for (int b = 1; b <= kMost; ++b) batch += b * now[b];
    const Trial trial =
        run({{"fixed", "1ms"}, {"item", "100us"}}, "batch:size=65536,linger=0,running=1", rate);
    expect_near(trial.batch->mean, batch, 0.01, "batch");
  }
}

TEST(SimulatedBatch, AdaptsItsSizeToTheSlo) {
  // Between nine tenths of (SLO - t0) / a, where it has just been cut, and that.
  struct Case {
    const char* slo;
    double size;
  };
  for (const auto& [slo, size] : {Case{"3ms", 20}, Case{"5ms", 40}, Case{"11ms", 100}}) {
    TrialRequest request =
        request_of({{"fixed", "1ms"}, {"item", "100us"}},
                   std::string("batch:size=auto,linger=0,running=1,slo=") + slo, 20'000, 200'000);
    const Trial trial = simulate_trial(request);
    EXPECT_GE(stat(trial, "batch_size"), std::floor(0.9 * size) - 1) << slo;
    EXPECT_LE(stat(trial, "batch_size"), size + 1) << slo;
  }
}

}  // namespace
}  // namespace precipice
