// The names of figures and units that a claim may use.
#pragma once

#include <span>
#include <string_view>

#include "harness/compare/claim_parser.hpp"

namespace precipice {

/// Several names may be of one figure; the first is the one that is printed.
struct FigureName {
  std::string_view name;
  Figure figure;
  int dimension;  ///< as ClaimNode's
};
std::span<const FigureName> figure_names();
/// nullptr when there is none.
const FigureName* figure_named(std::string_view name);

struct ClaimUnit {
  std::string_view name;
  double factor;  ///< to seconds or to a plain number
  int dimension;
};
/// nullptr when there is none.
const ClaimUnit* unit_named(std::string_view name);

/// "a time", "a rate", ...
std::string_view dimension_name(int dimension);

}  // namespace precipice
