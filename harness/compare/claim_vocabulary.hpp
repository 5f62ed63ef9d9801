// The names of figures and units that a claim may use.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace precipice {

/// What can be asked of a cell.
enum class Figure : std::uint8_t {
  saturation,
  cliff,
  cliff5,
  cliff20,
  knee,
  plateau,
  ideal_saturation,
  ideal_cliff,
  retention,
  recovery,
  steepness,
  saturation_of_ideal,
  cliff_of_ideal,
  service_time,
  slo,
  cpu_per_request,
  attempts_per_request,
  wasted,
  cost_per_million,
  goodput,  ///< from here on: at a load
  loss,
  mean,  ///< from here on: of the responses
  p50,
  p90,
  p99,
  p999,
};
const char* to_string(Figure figure);
/// Whether a call of it must name a LOAD (grammar: claim_parser.hpp); the others must not.
constexpr bool needs_load(Figure figure) { return figure >= Figure::goodput; }
/// Whether it can be asked of the requests of one class.
constexpr bool has_classes(Figure figure) {
  return figure >= Figure::loss || figure == Figure::cliff || figure == Figure::slo;
}

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
