// One probe of a cell, as the search and the estimators see a trial.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "harness/stats/batch_means.hpp"
#include "harness/stats/histogram.hpp"

namespace precipice {

/// The share of requests shed, failed or unfinished up to which a rate can lie below the cliff.
inline constexpr double kMaxLossDefault = 0.001;

/// Which part of a campaign asked for a trial.
enum class Phase : std::uint8_t { plateau, coarse, refine, overload, grid };
const char* to_string(Phase phase);

/// What the search and the estimators need of a trial.
struct Point {
  Phase phase = Phase::refine;
  int block = 0;
  std::uint64_t closed = 0;  ///< N of a closed loop, else 0
  double rate_per_s = 0;     ///< asked
  double offered_per_s = 0;  ///< realised
  double goodput_per_s = 0;
  double slo_percentile_ns = 0;  ///< response at the SLO's percentile
  double mean_response_ns = 0;
  BatchScatter scatter;        ///< of the responses
  double loss = 0;             ///< share of shed + failed + unfinished
  std::uint64_t requests = 0;  ///< in the window
  /// What the trial's schedule and draws follow from, beside the rate. A window of 0: not known.
  std::uint64_t seed = 0;
  std::chrono::nanoseconds warmup{0}, window{0};
  bool stable = false;
  bool valid = false;
  bool generator_limited =
      false;               ///< invalid: this load cannot be offered or set up; bounds the search
  bool disturbed = false;  ///< invalid by the host's disturbance alone: see disturbed_by_host
  /// Responses of the window, so that the blocks of one rate are merged exactly. Without it every
  /// trial stands for itself in a fit, because percentiles are never averaged.
  std::shared_ptr<const Histogram> responses;
};

}  // namespace precipice
