// Do the intervals mean what they say? Whole searches on the virtual clock, through the campaign,
// the search and the estimators that measurements use, held against queues whose truth is known.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/cliff.hpp"
#include "harness/capacity/plan.hpp"
#include "harness/stats/estimate.hpp"
#include "tests/coverage/queue_theory.hpp"

namespace precipice::coverage {

struct Queue {
  std::string name;
  Spec model;  ///< S = 1 ms
  QueueTruth truth;
};
/// M/M/1, M/D/1, M/M/2, M/G/1 with bimodal(0.9,1,10), M/M/1 with processor sharing, a random split
/// over two servers, M/M/1 with room for 8.
const std::vector<Queue>& queues();

/// Windows, blocks and rates of a suite, at S = 1 ms.
struct Size {
  std::string name;
  Plan plan;
};
/// `full`: 20,000 requests a trial and 9 blocks; `standard`, `reference`, `quick`: as the suites of
/// these names.
const std::vector<Size>& sizes();

inline constexpr std::size_t kFigures = 5;
inline constexpr std::array<const char*, kFigures> kFigureNames = {"cliff", "cliff5", "cliff20",
                                                                   "saturation", "knee"};
/// In the order of kFigureNames, per second.
std::array<double, kFigures> truths(const Queue& queue);

/// One search from its seed, with its trials.
CellSummary searched(const Queue& queue, const Plan& plan, std::uint64_t seed);
CellResult search(const Queue& queue, const Plan& plan, std::uint64_t seed);

/// How one figure came out over many searches. Shares are of all searches but where said.
struct Tally {
  double truth = 0;
  int searches = 0;
  int measured = 0;               ///< reached "ok": what bias, deviation and width are over
  int covered = 0;                ///< the interval holds the truth, censored ones included
  int too_low = 0, too_high = 0;  ///< whole intervals below and above the truth
  double sum = 0, squares = 0;    ///< of value / truth - 1
  double widths = 0;              ///< of (high - low) / 2 / truth, finite ones

  void add(const Estimate& estimate);
  void merge(const Tally& other);
  double bias() const;
  double deviation() const;
  double coverage() const;
  /// Half of the 95% interval of the coverage (Wilson 1927).
  double coverage_error() const;
  double half_width() const;
};

using Tallies = std::array<Tally, kFigures>;
/// Searches with seeds `seed`, `seed` + 1, ..., on `jobs` threads; the same whatever `jobs` is.
Tallies study(const Queue& queue, const Plan& plan, int searches, std::uint64_t seed, int jobs);

}  // namespace precipice::coverage
