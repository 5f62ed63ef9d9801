#include "harness/stats/paired_t.hpp"

#include <algorithm>
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

/// Probability that Student's t exceeds `t`.
double upper_tail(double t, double degrees) {
  if (t == kInfinity) return 0;
  if (t == -kInfinity) return 1;
  return boost::math::cdf(
      boost::math::complement(boost::math::students_t_distribution<double>(degrees), t));
}

bool known(const PairedMean& mean) { return mean.degrees >= 1 && std::isfinite(mean.error); }

/// Of the mean lying above `bound` by chance.
double one_sided(const PairedMean& mean, double bound) {
  if (!known(mean)) return 1;
  const double above = mean.mean - bound;
  if (mean.error == 0) return above > 0 ? 0 : 1;
  return upper_tail(above / mean.error, mean.degrees);
}

PairedMean mirrored(PairedMean mean) {
  mean.mean = -mean.mean;
  return mean;
}

}  // namespace

PairedMean paired_mean(std::span<const double> differences, double least_scatter,
                       double between_runs) {
  PairedMean result;
  result.blocks = static_cast<int>(differences.size());
  if (differences.empty()) return result;
  const auto n = static_cast<double>(differences.size());
  result.mean = std::accumulate(differences.begin(), differences.end(), 0.0) / n;
  result.scatter = std::max(standard_deviation(differences), least_scatter);
  // Two runs are compared, and each has a part of its own.
  result.error =
      differences.size() < 2
          ? kInfinity
          : std::sqrt(result.scatter * result.scatter / n + 2 * between_runs * between_runs);
  result.degrees = n - 1;
  return result;
}

Deviation combined(const Deviation& a, const Deviation& b) {
  if (!(a.degrees > 0 && b.degrees > 0)) return {};
  const double of_a = a.value * a.value, of_b = b.value * b.value, sum = of_a + of_b;
  if (sum == 0) return {0, a.degrees + b.degrees};
  return {std::sqrt(sum), sum * sum / (of_a * of_a / a.degrees + of_b * of_b / b.degrees)};
}

PairedMean pooled(PairedMean mean, const Deviation& other) {
  if (!(other.degrees > 0)) return mean;
  if (!known(mean)) {
    mean.error = other.value;
    mean.degrees = other.degrees;
    return mean;
  }
  const double seen = mean.error * mean.error, expected = other.value * other.value;
  constexpr double kLevel = 0.05;
  const boost::math::fisher_f_distribution<double> f(mean.degrees, other.degrees);
  if (seen > expected * boost::math::quantile(boost::math::complement(f, kLevel))) return mean;
  const double degrees = mean.degrees + other.degrees;
  mean.error = std::sqrt((mean.degrees * seen + other.degrees * expected) / degrees);
  mean.degrees = degrees;
  return mean;
}

double p_different(const PairedMean& mean, double margin) {
  const PairedMean upward = mean.mean >= 0 ? mean : mirrored(mean);
  return std::min(1.0, 2 * one_sided(upward, margin));
}

double p_equivalent(const PairedMean& mean, double margin) {
  // Above -margin, and below +margin.
  const double lower = one_sided(mean, -margin), upper = one_sided(mirrored(mean), -margin);
  return std::min(1.0, 2 * std::max(lower, upper));
}

std::pair<double, double> interval(const PairedMean& mean, double alpha) {
  if (!known(mean)) return {-kInfinity, kInfinity};
  const double half = mean.error > 0 ? student_t(1 - alpha / 2, mean.degrees) * mean.error : 0.0;
  return {mean.mean - half, mean.mean + half};
}

Holm holm(std::span<const double> p_values, double alpha) {
  const std::size_t m = p_values.size();
  std::vector<std::size_t> order(m);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  Holm result;
  result.adjusted.assign(m, 1);
  result.alpha.assign(m, alpha);
  double highest = 0, level = alpha;
  bool rejecting = true;
  for (std::size_t rank = 0; rank < m; ++rank) {
    const auto left = static_cast<double>(m - rank);
    const double p = p_values[order[rank]];
    highest = std::max(highest, std::min(1.0, left * p));
    result.adjusted[order[rank]] = highest;
    // The first that is not rejected ends the descent: its level is that of all the rest.
    if (rejecting) level = alpha / left;
    rejecting = rejecting && p <= level;
    result.alpha[order[rank]] = level;
  }
  return result;
}

double detectable(double error, double degrees) {
  if (degrees < 1) return kInfinity;
  return (student_t(0.975, degrees) + student_t(0.8, degrees)) * error;
}

}  // namespace precipice
