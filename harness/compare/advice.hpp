// What a campaign of plan_advice answers: whether today's model carries the rate, which carries
// most, and the smallest pool that holds. Pure functions over what the campaign found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/capacity/advice_plan.hpp"
#include "harness/capacity/cell_summary.hpp"
#include "harness/stats/estimate.hpp"

namespace precipice {

/// One model at one of the rates, its blocks merged.
struct AdviceAtRate {
  double rate_per_s = 0;
  /// Response at the SLO's percentile. The interval counts correlated requests as fewer. `above`
  /// where the requests that it lies among did not end in time.
  Estimate percentile_ns;
  Estimate goodput_per_s;  ///< median of the blocks, with the lowest and the highest
  /// False: no trial was valid, and the figures are those of invalid ones. They are shown and
  /// decide nothing: a disturbance makes a model look worse, never better.
  bool valid = false;
  std::optional<bool> meets;  ///< the SLO; nullopt: cannot be told
};

struct AdviceOfModel {
  Spec model;
  std::vector<AdviceAtRate> at;  ///< by kAdviceLoads
  Estimate cliff_per_s;
  Estimate headroom;          ///< cliff over the rate asked about
  std::optional<bool> meets;  ///< at that rate, by trials at all the rates and by the cliff
  std::string failure;        ///< why it was not measured, or ""
};

struct AdvicePool {
  std::uint64_t size = 0;
  std::optional<bool> meets;
};

struct Advice {
  AdviceQuestion question;
  Spec workload;
  double slo_ns = 0;
  int blocks = 0, trials = 0, invalid = 0;
  std::vector<AdviceOfModel> models;  ///< highest cliff first, those without one last
  std::optional<std::size_t> today;   ///< in `models`
  std::optional<std::size_t> most;    ///< carries most: the first with a cliff
  std::vector<std::size_t> alike;     ///< cannot be told apart from it
  /// What `most` carries as a multiple of the one it is held against: today's, or the first that
  /// is told apart where that is the same one or there is none today. An interval that leaves out 1
  /// and the verdict agree.
  std::optional<std::size_t> against;
  Estimate gain;
  std::vector<AdvicePool> pools;         ///< ascending by size
  std::optional<std::uint64_t> threads;  ///< the smallest of them that meets the SLO
  /// Where no trial at the rates was valid: that, the commonest causes and what to do; else "".
  std::string nothing_valid;
};

/// `result` is of the question's plan.
Advice advise(const AdviceQuestion& question, const CampaignResult& result);

}  // namespace precipice
