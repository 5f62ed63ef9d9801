// The figures that claims ask for, of a whole run and of resamples of its blocks.
#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/rate_groups.hpp"
#include "harness/compare/at_load.hpp"
#include "harness/compare/claim_parser.hpp"
#include "harness/stats/block_bootstrap.hpp"

namespace precipice {

/// A figure of the whole run, in seconds, per second, or plain.
struct FigureReading {
  double value = std::numeric_limits<double>::quiet_NaN();
  /// What is known without the bootstrap: the published interval where there is one, 0 or infinity
  /// on a side where the figure is censored, the doubt of an interpolation.
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  /// The interval holds the scatter between blocks (of one block: its own estimate of it).
  bool has_interval = false;
  bool exact = false;   ///< a constant of the run, as its SLO
  std::string missing;  ///< why there is no value, or ""
};

/// Answers for one run. Remembers what it has computed; not thread-safe. The run outlives it.
class ClaimFigures {
 public:
  explicit ClaimFigures(const CampaignResult& run);

  /// `call` is a call's node; `cell` an index into the run's cells.
  FigureReading whole(std::size_t cell, const ClaimNode& call);
  /// The figure's value in each resample, NaN where a resample has none.
  std::vector<double> resampled(std::size_t cell, const ClaimNode& call);

  const std::vector<BlockResample>& resamples() const { return resamples_; }
  /// Blocks in which the cell has a valid trial of an open loop.
  int blocks(std::size_t cell);

 private:
  /// Figures of one resample that analyse() gives.
  struct Analysed {
    double saturation, cliff, cliff5, cliff20, knee, plateau, retention, steepness;
  };
  /// Points, which their groups point to.
  struct Gathered {
    std::vector<Point> points;
    RateGroups groups;
  };
  struct Cell {
    std::vector<int> blocks;
    std::map<std::string, std::vector<Analysed>> analysed;      ///< by class; one per resample
    std::map<std::pair<std::string, double>, Gathered> groups;  ///< by class and percentile
  };

  struct Drawn;
  struct Rule;
  /// nullptr for a figure at a load.
  static const Rule* rule_of(Figure figure);

  Cell& cell(std::size_t index);
  /// nullopt for all requests, and where the cell has no figures of the class.
  std::optional<std::size_t> class_number(std::size_t index, const std::string& name) const;
  const std::vector<Analysed>& analysed(std::size_t index, const std::string& of_class);
  const RateGroups& groups_of(std::size_t index, const ClaimNode& call);
  /// In a resample, or in all blocks.
  ValueAt at_load(std::size_t index, const ClaimNode& call, double saturation,
                  const BlockResample* resample);
  /// How often the resample has each of the blocks; nullptr: each once.
  BlockWeights weights_of(const std::vector<int>& blocks, const BlockResample* resample) const;
  /// S in a resample as a multiple of S over all blocks.
  double service_drift(std::size_t index, const BlockResample* resample) const;
  /// Median of a trial's figure over the points that tell what a request costs.
  double median_over_points(std::size_t index, const BlockResample& resample,
                            double (*figure)(const Trial&)) const;

  const CampaignResult& run_;
  std::vector<int> blocks_;  ///< of the run; resamples count by index into it
  std::vector<BlockResample> resamples_;
  std::map<std::size_t, Cell> cells_;
};

}  // namespace precipice
