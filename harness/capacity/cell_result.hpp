// What the points of a cell say, and how they are to be read.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>

#include "harness/capacity/point.hpp"
#include "harness/capacity/twin_order.hpp"
#include "harness/stats/estimate.hpp"

namespace precipice {

struct CellResult {
  Estimate saturation, cliff, cliff5, cliff20, knee;
  double closed_loop_plateau_per_s = std::numeric_limits<double>::quiet_NaN();
  Estimate overload_retention;  ///< a ratio; 1 is graceful
  Estimate
      recovery;  ///< a ratio; 1 is ideal. Filled in by summarise_cell, from the drains of overloads
  double steepness = std::numeric_limits<double>::quiet_NaN();  ///< (cliff20 - cliff5) / cliff
  /// The twins of the cliff's trials: the control variate's weight (0: they were not used), and how
  /// much longer than S a request keeps the model's CPUs by its mean response, as 0.03.
  double twin_weight = 0, twin_overhead = std::numeric_limits<double>::quiet_NaN();
  TwinOrder twin_order = TwinOrder::fcfs;
  /// Where twins were used: the cliff that all blocks show before any correction, and what it is
  /// without each of them, by the same twins. A jackknife that fitted them anew to fewer trials
  /// would show their scatter many times. Empty where a cliff is censored.
  double cliff_of_all_per_s = std::numeric_limits<double>::quiet_NaN();
  std::map<int, double> cliff_without_block_per_s;
  /// Where twins took the luck of the draws out of goodput: what each block carries at the load
  /// whose goodput the saturation is.
  std::map<int, double> saturation_of_block_per_s;
  /// Rates below the cliff that surely break the SLO though higher ones keep it, the lowest and the
  /// highest of them; 0: none.
  double broken_from_per_s = 0, broken_to_per_s = 0;
};

class Twin;

struct CliffOptions {
  double slo_ns = 0;
  double slo_percentile = 99;
  bool own_bound = true;       ///< the search placed its rates around the crossing of slo_ns
  double service_time_ns = 0;  ///< for cliff5 and cliff20 (0: they scale the SLO by 1/2 and 2)
  double window_s = 1;
  double max_loss = kMaxLossDefault;
  /// Points used: stable ones within this share of the crossing, or of twice what is left from it
  /// to saturation.
  double fit_within = 0.15;
  int bootstrap = 1000;
  std::shared_ptr<const Twin> twin;  ///< null: none
  std::uint64_t seed = 1;
};

}  // namespace precipice
