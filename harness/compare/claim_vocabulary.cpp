#include "harness/compare/claim_vocabulary.hpp"

#include <algorithm>
#include <array>

namespace precipice {
namespace {

constexpr std::array kFigures{
    FigureName{"saturation", Figure::saturation, -1},
    FigureName{"cliff", Figure::cliff, -1},
    FigureName{"cliff5", Figure::cliff5, -1},
    FigureName{"cliff20", Figure::cliff20, -1},
    FigureName{"knee", Figure::knee, -1},
    FigureName{"plateau", Figure::plateau, -1},
    FigureName{"ideal_saturation", Figure::ideal_saturation, -1},
    FigureName{"ideal_cliff", Figure::ideal_cliff, -1},
    FigureName{"retention", Figure::retention, 0},
    FigureName{"recovery", Figure::recovery, 0},
    FigureName{"steepness", Figure::steepness, 0},
    FigureName{"saturation_of_ideal", Figure::saturation_of_ideal, 0},
    FigureName{"cliff_of_ideal", Figure::cliff_of_ideal, 0},
    FigureName{"service_time", Figure::service_time, 1},
    FigureName{"slo", Figure::slo, 1},
    FigureName{"cpu_per_request", Figure::cpu_per_request, 1},
    FigureName{"attempts_per_request", Figure::attempts_per_request, 0},
    FigureName{"wasted", Figure::wasted, 0},
    FigureName{"cost_per_million", Figure::cost_per_million, 0},
    FigureName{"goodput", Figure::goodput, -1},
    FigureName{"loss", Figure::loss, 0},
    FigureName{"mean", Figure::mean, 1},
    FigureName{"p50", Figure::p50, 1},
    FigureName{"p90", Figure::p90, 1},
    FigureName{"p99", Figure::p99, 1},
    FigureName{"p999", Figure::p999, 1},
    // The same figures under the names that the theory gives them.
    FigureName{"lambda_10", Figure::cliff, -1},
    FigureName{"lambda_5", Figure::cliff5, -1},
    FigureName{"lambda_20", Figure::cliff20, -1},
};

constexpr std::array kUnits{
    ClaimUnit{"k", 1e3, 0},   ClaimUnit{"M", 1e6, 0},   ClaimUnit{"ns", 1e-9, 1},
    ClaimUnit{"us", 1e-6, 1}, ClaimUnit{"ms", 1e-3, 1}, ClaimUnit{"s", 1, 1},
    ClaimUnit{"m", 60, 1},    ClaimUnit{"h", 3600, 1},
};

template <class Table>
const typename Table::value_type* named(const Table& table, std::string_view name) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto& each) { return each.name == name; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

std::span<const FigureName> figure_names() { return kFigures; }

const FigureName* figure_named(std::string_view name) { return named(kFigures, name); }

const ClaimUnit* unit_named(std::string_view name) { return named(kUnits, name); }

const char* to_string(Figure figure) {
  // Names are literals, so their data ends in a zero.
  for (const FigureName& each : kFigures) {
    if (each.figure == figure) return each.name.data();
  }
  return "figure";
}

std::string_view dimension_name(int dimension) {
  switch (dimension) {
    case 1:
      return "a time";
    case -1:
      return "a rate";
    case 0:
      return "a plain number";
    default:
      return "neither a time, a rate nor a number";
  }
}

}  // namespace precipice
