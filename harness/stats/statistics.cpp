#include "harness/stats/statistics.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "harness/stats/least_squares.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

/// Reorders its argument.
double median_in_place(std::vector<double>& values) {
  if (values.empty()) return kNaN;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

/// `slopes` is scratch.
double theil_sen(std::span<const double> x, std::span<const double> y,
                 std::vector<double>& slopes) {
  slopes.clear();
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      if (x[j] != x[i]) slopes.push_back((y[j] - y[i]) / (x[j] - x[i]));
    }
  }
  return slopes.empty() ? 0 : median_in_place(slopes);
}

}  // namespace

double median(std::vector<double> values) { return median_in_place(values); }

double standard_deviation(std::span<const double> values) {
  if (values.size() < 2) return 0;
  double mean = 0;
  for (const double value : values) mean += value;
  mean /= static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double student_t(double p, double degrees) {
  return boost::math::quantile(boost::math::students_t(degrees), p);
}

Trend trend(std::span<const double> x, std::span<const double> y, std::size_t block, int replicates,
            std::uint64_t seed) {
  const std::size_t n = x.size();
  std::vector<double> slopes;
  slopes.reserve(n * n / 2);
  const double slope = theil_sen(x, y, slopes);
  if (n < 3 || replicates < 1) return {slope, slope};

  std::vector<double> residuals(n);
  for (std::size_t i = 0; i < n; ++i) residuals[i] = y[i] - slope * x[i];
  const double level = median(residuals);
  for (double& residual : residuals) residual -= level;

  if (block == 0) block = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(n))));
  block = std::clamp<std::size_t>(block, 1, n);
  Random random(seed);
  std::vector<double> drawn(n);
  std::vector<double> estimates;
  for (int r = 0; r < replicates; ++r) {
    for (std::size_t at = 0; at < n; at += block) {
      const std::size_t from = random.below(n - block + 1);
      for (std::size_t k = 0; k < block && at + k < n; ++k) drawn[at + k] = residuals[from + k];
    }
    estimates.push_back(theil_sen(x, drawn, slopes));
  }
  std::sort(estimates.begin(), estimates.end());
  // The basic bootstrap: the estimate errs above the truth as its replicates err above zero.
  const auto index = static_cast<std::size_t>(0.975 * static_cast<double>(estimates.size() - 1));
  return {slope, slope - estimates[index]};
}

std::vector<double> isotonic(std::span<const double> values, std::span<const double> weights) {
  struct Pool {
    double value, weight;
    std::size_t size;
  };
  std::vector<Pool> pools;
  for (std::size_t i = 0; i < values.size(); ++i) {
    pools.push_back({values[i], weights[i], 1});
    while (pools.size() > 1 && pools[pools.size() - 2].value > pools.back().value) {
      const Pool last = pools.back();
      pools.pop_back();
      Pool& into = pools.back();
      into.value =
          (into.value * into.weight + last.value * last.weight) / (into.weight + last.weight);
      into.weight += last.weight;
      into.size += last.size;
    }
  }
  std::vector<double> result;
  result.reserve(values.size());
  for (const Pool& pool : pools) result.insert(result.end(), pool.size, pool.value);
  return result;
}

std::vector<double> polynomial_fit(std::span<const double> x, std::span<const double> y,
                                   std::span<const double> weights, int degree) {
  const auto terms = static_cast<std::size_t>(degree) + 1;
  std::vector<double> nothing(terms, kNaN);
  if (x.size() < terms) return nothing;
  // Centred and scaled, so that the normal equations of rates in the millions stay well behaved.
  double weight = 0, centre = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    weight += weights[i];
    centre += weights[i] * x[i];
  }
  centre /= weight;
  double scale = 0;
  for (const double value : x) scale = std::max(scale, std::abs(value - centre));
  if (!(scale > 0)) return nothing;

  LeastSquares equations;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double u = (x[i] - centre) / scale;
    equations.add({1, u, u * u}, y[i], weights[i]);
  }
  const auto solution = equations.solve(degree == 1 ? 0b011 : LeastSquares::kAll, 1e-12 * weight);
  if (!solution) return nothing;
  const double a = (*solution)[0], b = (*solution)[1] / scale;
  if (degree == 1) return {a - b * centre, b};
  const double c = (*solution)[2] / (scale * scale);
  return {a - b * centre + c * centre * centre, b - 2 * c * centre, c};
}

double kolmogorov_distance(std::span<const double> ascending,
                           const std::function<double(double)>& distribution) {
  const auto n = static_cast<double>(ascending.size());
  double distance = 0;
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    const double f = distribution(ascending[i]);
    const auto rank = static_cast<double>(i);
    distance = std::max({distance, f - rank / n, (rank + 1) / n - f});
  }
  return distance;
}

}  // namespace precipice
