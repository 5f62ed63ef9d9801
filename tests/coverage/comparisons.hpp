// How often a family of equal models gives a false alarm, and how often a true difference is found:
// whole searches on the virtual clock, compared as the models of a run are.
#pragma once

#include <array>
#include <cstdint>

#include "tests/coverage/coverage.hpp"

namespace precipice::coverage {

/// How the comparisons of one figure came out.
struct ComparisonTally {
  int families = 0;
  int alarms = 0;           ///< families of equal models of which any two were told apart
  int pairs = 0;            ///< of equal models that were compared
  int apart = 0;            ///< of these, told apart
  int planted = 0;          ///< pairs of a model with a faster one that were compared
  int found = 0;            ///< of these, the faster one named
  int found_in_family = 0;  ///< the same where the faster one stands among all the equal ones
  double log_widths = 0;    ///< of the intervals of the planted ratios, one comparison each, summed
  int blocks_of_pairs = 0;  ///< that the planted pairs took, a model each, summed

  void merge(const ComparisonTally& other);
};

inline constexpr std::array<const char*, 2> kComparedFigures = {"cliff", "saturation"};
/// In the order of kComparedFigures.
using ComparisonTallies = std::array<ComparisonTally, kComparedFigures.size()>;

struct ComparisonStudy {
  int models = 5;            ///< equal ones in a family
  double difference = 0.15;  ///< by which the planted one's rates are higher
  bool common_luck = false;  ///< the planted pair shares its seed, as the models of a run do
  /// At most so many blocks after the planned ones, as a run with a budget takes them: of models
  /// whose order is open alone.
  int further_blocks = 0;
  int families = 100;
  std::uint64_t seed = 1;
  int jobs = 1;
};

/// Equal models differ by their seeds alone: more than those of a run, which share arrivals.
/// The same whatever `jobs` is.
ComparisonTallies compare_equals(const Queue& queue, const Plan& plan,
                                 const ComparisonStudy& study);

}  // namespace precipice::coverage
