#include "harness/stats/poisson_regression.hpp"

#include <algorithm>
#include <cmath>

namespace precipice {
namespace {

constexpr int kMostSteps = 60;
constexpr double kSettled = 1e-9;
constexpr double kLongestStep = 2;    // in the logarithm of a count, at any point
constexpr double kMostExponent = 50;  // beyond it the counts make no sense
constexpr double kPriorDegrees = 4;

double expected_at(const PoissonFit& line, const CountedPoint& point) {
  return point.exposure * std::exp(std::min(line.at(point.x), kMostExponent));
}

/// A symmetric matrix of two rows.
struct Matrix {
  double one = 0, first = 0, second = 0;

  void add(double weight, double x) {
    one += weight;
    first += weight * x;
    second += weight * x * x;
  }
  double determinant() const { return one * second - first * first; }
};

}  // namespace

std::optional<PoissonFit> poisson_regression(std::span<const CountedPoint> points,
                                             const SlopePrior& prior) {
  double counted = 0, exposed = 0, furthest = 0;
  for (const CountedPoint& point : points) {
    counted += point.weight * point.count;
    exposed += point.weight * point.exposure;
    furthest = std::max(furthest, std::abs(point.x));
  }
  if (!(counted > 0) || !(exposed > 0)) return std::nullopt;
  const double strength = prior.deviation > 0 ? 1 / (prior.deviation * prior.deviation) : 0;

  PoissonFit line;
  line.level = std::log(counted / exposed);
  line.slope = prior.mean;
  Matrix information;
  double believed = strength, step = 1;
  for (int i = 0; i < kMostSteps && step > kSettled; ++i) {
    const double off = line.slope - prior.mean;
    believed = strength * (kPriorDegrees + 1) / (kPriorDegrees + strength * off * off);
    information = {.second = believed};
    double miss = 0, miss_first = -believed * off;
    for (const CountedPoint& point : points) {
      const double weight = point.weight / point.dispersion;
      const double expected = expected_at(line, point);
      information.add(weight * expected, point.x);
      miss += weight * (point.count - expected);
      miss_first += weight * (point.count - expected) * point.x;
    }
    const double determinant = information.determinant();
    if (!(determinant > 0)) return std::nullopt;
    // Newton's step, held back where it would leave the region in which the counts make sense.
    const double up = (information.second * miss - information.first * miss_first) / determinant;
    const double tilt = (information.one * miss_first - information.first * miss) / determinant;
    step = std::max(std::abs(up), std::abs(tilt) * furthest);
    const double part = std::min(1.0, kLongestStep / step);
    line.level += part * up;
    line.slope += part * tilt;
  }
  if (!std::isfinite(line.level) || !std::isfinite(line.slope)) return std::nullopt;

  // A point that is asked less than its counts deserve makes the line less certain than the
  // information says.
  Matrix scatter{.second = believed};
  for (const CountedPoint& point : points) {
    const double expected = expected_at(line, point);
    scatter.add(point.weight * point.weight * expected / point.dispersion, point.x);
  }
  const double determinant = information.determinant();
  const double a = information.second / determinant, b = -information.first / determinant,
               c = information.one / determinant;
  line.level_variance = a * a * scatter.one + 2 * a * b * scatter.first + b * b * scatter.second;
  line.covariance = a * b * scatter.one + (a * c + b * b) * scatter.first + b * c * scatter.second;
  line.slope_variance = b * b * scatter.one + 2 * b * c * scatter.first + c * c * scatter.second;
  if (!std::isfinite(line.level_variance) || !std::isfinite(line.slope_variance))
    return std::nullopt;
  return line;
}

double poisson_misfit(std::span<const CountedPoint> points, const PoissonFit& line,
                      double tolerance) {
  double squares = 0, weights = 0;
  for (const CountedPoint& point : points) {
    const double expected = expected_at(line, point);
    const double miss = point.count - expected;
    const double allowed = tolerance * expected;
    // Of few expected, one more is no surprise.
    squares += point.weight * miss * miss /
               (point.dispersion * std::max(expected, 1.0) + allowed * allowed);
    weights += point.weight;
  }
  return squares / weights;
}

}  // namespace precipice
