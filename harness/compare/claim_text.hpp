// The words and numbers of a verdict: what was compared, in the units in which it is thought of.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/compare/claim_figures.hpp"
#include "harness/compare/claim_parser.hpp"

namespace precipice {

/// A value of a dimension as people write it: "98.1k/s", "5.00ms", "0.512".
std::string quantity(double value, int dimension);

/// Speaks of one claim, which outlives it.
class ClaimText {
 public:
  /// The two sides, and the interval of log(left / right), or of left - right.
  struct Comparison {
    double left = 0, right = 0;
    bool ratio = true;
    double centre = 0, low = 0, high = 0;
  };
  struct Shown {
    std::string scale;  ///< ratio, difference or value
    double value = 0, low = 0, high = 0;
    std::string claimed, sentence;
  };

  explicit ClaimText(const ClaimRelation& claim) : claim_(claim) {}

  /// A node as it was written.
  std::string source(std::size_t node) const;
  /// "saturation 98.1k/s against 12.4k/s". `readings` by node, for those that are calls.
  template <class Sides>
  std::string sides(const Sides& both, const std::vector<FigureReading>& readings) const {
    return sides(both.left, both.right, readings);
  }
  Shown shown(const Comparison& comparison, const std::vector<FigureReading>& readings) const;

 private:
  /// A side without the plain number that it is multiplied by.
  struct Side {
    std::size_t node = 0;
    double factor = 1;
    bool measured = false;
  };
  Side side(std::size_t root) const;
  /// The node's text with every call shortened to its figure.
  std::string name(std::size_t node) const;
  std::string side_text(const Side& side, double value, const std::string& name,
                        const std::vector<FigureReading>& readings) const;
  std::string sides(double left, double right, const std::vector<FigureReading>& readings) const;

  const ClaimRelation& claim_;
};

}  // namespace precipice
