// The statistics that Boost.Math lacks and that verdicts and estimates rest on. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace precipice {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Middle value, or the mean of the middle two; NaN when empty.
double median(std::vector<double> values);
/// Square root of the unbiased variance; 0 for fewer than two values.
double standard_deviation(std::span<const double> values);
/// Quantile p in (0, 1) of Student's t with `degrees` >= 1 degrees of freedom.
double student_t(double p, double degrees);

struct Trend {
  double slope = 0;  ///< per unit of x
  double low = 0;    ///< lower 97.5% confidence bound of it
};
/// Median of the slopes of all pairs (Theil 1950, Sen 1968) of a series in order of x, and its
/// lower bound by a moving-block bootstrap of the residuals, which keeps the correlation of
/// neighbours (Kuensch 1989). Blocks are of `block` values (0: the square root of their number).
/// Costs replicates x n^2 / 2 slopes: meant for at most a few hundred values.
Trend trend(std::span<const double> x, std::span<const double> y, std::size_t block, int replicates,
            std::uint64_t seed);

/// The non-decreasing sequence nearest to `values` in weighted least squares (pool adjacent
/// violators; Barlow et al. 1972). Weights > 0, as many as values.
std::vector<double> isotonic(std::span<const double> values, std::span<const double> weights);

/// Weighted least squares of y on 1, x, .., x^degree for degree 1 or 2; lowest power first. NaN
/// when the points do not determine it.
std::vector<double> polynomial_fit(std::span<const double> x, std::span<const double> y,
                                   std::span<const double> weights, int degree);

/// Kolmogorov's distance between ascending samples and a continuous distribution function.
double kolmogorov_distance(std::span<const double> ascending,
                           const std::function<double(double)>& distribution);

}  // namespace precipice
