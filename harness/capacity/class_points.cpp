#include "harness/capacity/class_points.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include "harness/capacity/cell_evidence.hpp"

namespace precipice {
namespace {

std::int64_t response_at(const ClassFigures& figures, std::optional<double> percentile) {
  if (!percentile) return figures.slo_percentile_ns;
  const Percentiles& all = figures.response;
  const std::array<std::pair<double, std::int64_t>, 5> known{
      {{50, all.p50}, {90, all.p90}, {95, all.p95}, {99, all.p99}, {99.9, all.p999}}};
  for (const auto& [at, value] : known) {
    if (at == *percentile) return value;
  }
  throw std::invalid_argument("a class has no such percentile");
}

}  // namespace

std::vector<Point> points_of_class(const std::vector<Record>& trials, std::size_t number,
                                   std::optional<double> percentile) {
  std::vector<Point> points;
  for (const Record& record : trials) {
    const std::vector<ClassFigures>& classes = record.trial.classes;
    if (number >= classes.size() || !classes[number].response.known) continue;
    const ClassFigures& figures = classes[number];
    Point point = point_of(record);
    point.slo_percentile_ns = static_cast<double>(response_at(figures, percentile));
    point.mean_response_ns = figures.response.mean;
    point.loss = figures.loss();
    point.requests = figures.requests;
    point.responses = nullptr;
    points.push_back(std::move(point));
  }
  return points;
}

CliffOptions options_of_class(CliffOptions of_cell, double slo_ns) {
  of_cell.twin = nullptr;
  of_cell.slo_ns = slo_ns;
  return of_cell;
}

}  // namespace precipice
