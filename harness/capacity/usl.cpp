#include "harness/capacity/usl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "harness/capacity/point.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/stats/least_squares.hpp"
#include "harness/stats/statistics.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

/// The law as a line: N / X = idle + serial N + agreement N (N - 1), with lambda = 1 / (idle +
/// serial), sigma = serial lambda, kappa = agreement lambda. All three at 0 or above is the same as
/// kappa >= 0 and 0 <= sigma <= 1, and the peak is at sqrt(idle / agreement).
struct Curve {
  std::array<double, 3> coefficients{};  ///< idle, serial, agreement

  double time(double n) const {
    return coefficients[0] + coefficients[1] * n + coefficients[2] * n * (n - 1);
  }
  double log_throughput(double n) const { return std::log(n) - std::log(time(n)); }
  double lambda() const {
    const double alone = coefficients[0] + coefficients[1];
    return alone > 0 ? 1 / alone : kInfinity;
  }
  double sigma() const { return coefficients[1] * lambda(); }
  double kappa() const { return coefficients[2] * lambda(); }
  double log_peak_n() const {
    if (!(coefficients[2] > 0)) return kInfinity;
    if (!(coefficients[0] > 0)) return -kInfinity;
    return 0.5 * (std::log(coefficients[0]) - std::log(coefficients[2]));
  }
  double log_peak() const {
    const double log_n = log_peak_n();
    if (log_n == kInfinity) return coefficients[1] > 0 ? -std::log(coefficients[1]) : kInfinity;
    return log_throughput(std::max(1.0, std::exp(log_n)));
  }
};

/// One value for each N, ascending.
struct Sweep {
  std::vector<double> n, log_x, weight;
  std::size_t size() const { return n.size(); }
};

Sweep merged(const std::vector<UslPoint>& points) {
  struct Sum {
    double weight = 0, log_x = 0;
    int points = 0;
  };
  std::map<double, Sum> sums;
  for (const UslPoint& point : points) {
    Sum& sum = sums[point.in_flight];
    sum.weight += point.weight;
    sum.log_x += point.weight * std::log(point.throughput_per_s);
    ++sum.points;
  }
  Sweep sweep;
  for (const auto& [n, sum] : sums) {
    sweep.n.push_back(n);
    sweep.log_x.push_back(sum.log_x / sum.weight);
    sweep.weight.push_back(sum.weight / sum.points);
  }
  return sweep;
}

double cost(const Sweep& sweep, const Curve& curve) {
  double sum = 0;
  for (std::size_t i = 0; i < sweep.size(); ++i) {
    if (!(curve.time(sweep.n[i]) > 0)) return kInfinity;
    const double residual = sweep.log_x[i] - curve.log_throughput(sweep.n[i]);
    sum += sweep.weight[i] * residual * residual;
  }
  return sum;
}

using Row = LeastSquares::Row;

/// Of one set of equations, for the coefficients in `free` (bits), the others at 0. False when they
/// do not determine it.
bool solve(const LeastSquares& equations, unsigned free, Row& into) {
  const auto solution = equations.solve(free, 1e-15);
  if (!solution) return false;
  into = *solution;
  return std::isfinite(into[0]) && std::isfinite(into[1]) && std::isfinite(into[2]);
}

double square_error(const std::vector<Row>& rows, const std::vector<double>& target,
                    const std::vector<double>& weight, const Row& x) {
  double sum = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double e = rows[i][0] * x[0] + rows[i][1] * x[1] + rows[i][2] * x[2] - target[i];
    sum += weight[i] * e * e;
  }
  return sum;
}

/// The best of the coefficients, none below 0 when `bounded`: a convex problem in three unknowns,
/// so its solution is the best one among those of all choices of coefficients at 0.
bool best(const std::vector<Row>& rows, const std::vector<double>& target,
          const std::vector<double>& weight, bool bounded, Row& into) {
  Row scale{};
  for (const Row& row : rows)
    for (std::size_t k = 0; k < 3; ++k) scale[k] = std::max(scale[k], std::abs(row[k]));
  LeastSquares equations(scale);
  for (std::size_t i = 0; i < rows.size(); ++i) equations.add(rows[i], target[i], weight[i]);
  if (!bounded) return solve(equations, LeastSquares::kAll, into);
  double least = kInfinity;
  for (const unsigned free : {0b111U, 0b011U, 0b101U, 0b110U, 0b001U, 0b010U}) {
    Row x;
    if (!solve(equations, free, x) || x[0] < 0 || x[1] < 0 || x[2] < 0) continue;
    const double error = square_error(rows, target, weight, x);
    if (error >= least) continue;
    least = error;
    into = x;
  }
  return least < kInfinity;
}

/// Gauss and Newton's method on log throughput, with halved steps. `from`: where to begin; null:
/// the linear fit of N / X in relative terms.
bool fit(const Sweep& sweep, bool bounded, const Curve* from, Curve& curve) {
  std::vector<Row> rows(sweep.size());
  std::vector<double> target(sweep.size(), 1.0);
  const auto set_rows = [&](const std::function<double(std::size_t)>& time) {
    for (std::size_t i = 0; i < sweep.size(); ++i) {
      const double n = sweep.n[i], t = time(i);
      rows[i] = {1 / t, n / t, n * (n - 1) / t};
    }
  };
  if (from != nullptr) {
    curve = *from;
  } else {
    set_rows([&](std::size_t i) { return sweep.n[i] / std::exp(sweep.log_x[i]); });
    if (!best(rows, target, sweep.weight, bounded, curve.coefficients)) return false;
  }
  double now = cost(sweep, curve);
  if (now == kInfinity) return false;
  for (int iteration = 0; iteration < 50; ++iteration) {
    set_rows([&](std::size_t i) { return curve.time(sweep.n[i]); });
    for (std::size_t i = 0; i < sweep.size(); ++i)
      target[i] = 1 + curve.log_throughput(sweep.n[i]) - sweep.log_x[i];
    Row aim;
    if (!best(rows, target, sweep.weight, bounded, aim)) return false;
    Curve next;
    double then = kInfinity;
    for (double step = 1; step > 1e-4; step /= 2) {
      for (std::size_t k = 0; k < 3; ++k)
        next.coefficients[k] = curve.coefficients[k] + step * (aim[k] - curve.coefficients[k]);
      then = cost(sweep, next);
      if (then < now) break;
    }
    if (!(then < now)) break;
    const bool settled = now - then <= 1e-10 * now;
    curve = next;
    now = then;
    if (settled) break;
  }
  return true;
}

/// What is published of one curve, on the scale on which it is nearly normal.
using Readings = std::array<double, 6>;
enum Reading { kLogLambda, kSigma, kKappa, kLogPeakN, kLogPeak, kLogLast };

Readings read(const Curve& curve, double last_n) {
  return {std::log(curve.lambda()), curve.sigma(),    curve.kappa(),
          curve.log_peak_n(),       curve.log_peak(), curve.log_throughput(last_n)};
}

/// Half the distance between the quantiles that hold the middle 68%: a standard deviation that a
/// few resamples without a peak do not spoil.
double spread(std::vector<double> values) {
  if (values.size() < 20) return kInfinity;
  std::sort(values.begin(), values.end());
  const auto at = [&](double p) {
    return values[static_cast<std::size_t>(p * static_cast<double>(values.size() - 1))];
  };
  const double low = at(0.1587), high = at(0.8413);
  return low == high ? 0 : 0.5 * (high - low);
}

int sweeping_blocks(const std::vector<UslPoint>& points) {
  std::map<int, std::set<double>> by_block;
  for (const UslPoint& point : points) by_block[point.block].insert(point.in_flight);
  return static_cast<int>(std::count_if(by_block.begin(), by_block.end(), [](const auto& block) {
    return block.second.size() >= kUslFewestN;
  }));
}

class Resampling {
 public:
  Resampling(const std::vector<UslPoint>& points, const Sweep& sweep, const Curve& free,
             std::uint64_t seed)
      : sweep_(sweep), free_(free), random_(seed) {
    blocks_ = sweeping_blocks(points);
    if (blocks_ < 3) blocks_ = 0;
    for (const UslPoint& point : points) by_block_[point.block].push_back(point);
    const auto n = static_cast<double>(sweep.size());
    double mean = 0, weight = 0;
    for (std::size_t i = 0; i < sweep.size(); ++i) {
      const double residual = sweep.log_x[i] - free.log_throughput(sweep.n[i]);
      residuals_.push_back(residual * std::sqrt(sweep.weight[i]));
      mean += residuals_.back() / n;
      weight += sweep.weight[i];
    }
    for (double& residual : residuals_) residual = (residual - mean) * std::sqrt(n / (n - 3));
  }

  int blocks() const { return blocks_; }
  /// How many standard deviations of the resamples make a 95% interval.
  double times() const {
    if (blocks_ == 0) return student_t(0.975, static_cast<double>(sweep_.size()) - 3);
    return student_t(0.975, blocks_ - 1) * std::sqrt(blocks_ / (blocks_ - 1.0));
  }
  Sweep draw() {
    if (blocks_ > 0) {
      std::vector<const std::vector<UslPoint>*> pool;
      for (const auto& [block, points] : by_block_) pool.push_back(&points);
      std::vector<UslPoint> drawn;
      for (std::size_t i = 0; i < pool.size(); ++i) {
        const std::vector<UslPoint>& points = *pool[random_.below(pool.size())];
        drawn.insert(drawn.end(), points.begin(), points.end());
      }
      return merged(drawn);
    }
    Sweep drawn = sweep_;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      drawn.log_x[i] = free_.log_throughput(drawn.n[i]) +
                       residuals_[random_.below(residuals_.size())] / std::sqrt(drawn.weight[i]);
    }
    return drawn;
  }

 private:
  const Sweep& sweep_;
  const Curve& free_;
  Random random_;
  int blocks_ = 0;
  std::map<int, std::vector<UslPoint>> by_block_;
  std::vector<double> residuals_;
};

Estimate estimate(double value, double low, double high, Reached reached = Reached::ok) {
  Estimate e;
  e.value = value;
  e.low = std::min(low, value);
  e.high = std::max(high, value);
  e.reached = reached;
  return e;
}

void place_peak(UslFit& result, const Sweep& sweep, const Curve& curve, const Readings& readings,
                const std::function<std::pair<double, double>(Reading)>& interval) {
  const double first = sweep.n.front(), last = sweep.n.back();
  const double at = std::exp(readings[kLogPeakN]);
  // The law rounds what a model may do in a sharp bend, and then invents a fall to make up for it:
  // the sweep itself has to show one.
  const double fall =
      *std::max_element(sweep.log_x.begin(), sweep.log_x.end()) - sweep.log_x.back();
  if (!(result.kappa.low > 0) || at > last || !(fall > 2 * result.relative_rms)) {
    const double earliest =
        result.kappa.high > 0 ? std::sqrt((1 - result.sigma.value) / result.kappa.high) : last;
    result.peak_n = estimate(last, std::clamp(earliest, first, last), kInfinity, Reached::above);
    result.peak_per_s = estimate(std::exp(curve.log_throughput(last)),
                                 std::exp(interval(kLogLast).first), kInfinity, Reached::above);
    return;
  }
  if (at < first) {
    result.peak_n = estimate(first, 0, first, Reached::below);
    result.peak_per_s =
        estimate(std::exp(curve.log_throughput(first)), 0, kInfinity, Reached::below);
    return;
  }
  const auto [low_n, high_n] = interval(kLogPeakN);
  result.peak_n = estimate(at, std::exp(low_n), std::exp(high_n));
  const auto [low, high] = interval(kLogPeak);
  result.peak_per_s = estimate(std::exp(readings[kLogPeak]), std::exp(low), std::exp(high));
}

}  // namespace

UslFit fit_usl(const std::vector<UslPoint>& given, const UslOptions& options) {
  std::vector<UslPoint> points;
  std::copy_if(given.begin(), given.end(), std::back_inserter(points), [](const UslPoint& point) {
    return point.in_flight >= 1 && std::isfinite(point.in_flight) && point.throughput_per_s > 0 &&
           std::isfinite(point.throughput_per_s) && point.weight > 0 && std::isfinite(point.weight);
  });
  const Sweep sweep = merged(points);
  UslFit result;
  result.distinct_n = static_cast<int>(sweep.size());
  if (result.distinct_n < kUslFewestN) {
    result.note = fmt::format("{} numbers in flight were measured, and a fit takes at least {}",
                              result.distinct_n, kUslFewestN);
    return result;
  }
  Curve curve;
  if (!fit(sweep, true, nullptr, curve)) {
    result.note = "the points do not determine the law";
    return result;
  }
  double weight = 0;
  for (const double each : sweep.weight) weight += each;
  result.relative_rms = std::sqrt(cost(sweep, curve) / weight);

  // Bounds narrow whatever is resampled beside them; so intervals are of the fit without bounds,
  // and cut to what the law allows.
  Curve free;
  if (!fit(sweep, false, nullptr, free)) free = curve;
  const Readings readings = read(curve, sweep.n.back());
  const Readings centre = read(free, sweep.n.back());
  Resampling resampling(points, sweep, free, options.seed);
  result.blocks = resampling.blocks();
  std::array<std::vector<double>, 6> drawn;
  for (int i = 0; i < options.bootstrap; ++i) {
    const Sweep again = resampling.draw();
    Curve resampled;
    if (again.size() < kUslFewestN || !fit(again, false, &free, resampled)) continue;
    const Readings all = read(resampled, sweep.n.back());
    for (std::size_t k = 0; k < all.size(); ++k)
      if (!std::isnan(all[k])) drawn[k].push_back(all[k]);
  }
  const auto interval = [&](Reading which) -> std::pair<double, double> {
    const double width = resampling.times() * spread(drawn[which]);
    const double middle = std::isfinite(centre[which]) ? centre[which] : readings[which];
    return {middle - width, middle + width};
  };
  const auto [lambda_low, lambda_high] = interval(kLogLambda);
  result.lambda_per_s = estimate(curve.lambda(), std::exp(lambda_low), std::exp(lambda_high));
  const auto [sigma_low, sigma_high] = interval(kSigma);
  result.sigma =
      estimate(curve.sigma(), std::clamp(sigma_low, 0.0, 1.0), std::clamp(sigma_high, 0.0, 1.0));
  const auto [kappa_low, kappa_high] = interval(kKappa);
  result.kappa = estimate(curve.kappa(), std::max(kappa_low, 0.0), std::max(kappa_high, 0.0));
  place_peak(result, sweep, curve, readings, interval);
  return result;
}

std::vector<UslPoint> closed_loop_sweep(const std::vector<Point>& evidence, double max_loss) {
  std::vector<UslPoint> points;
  for (const Point& point : evidence) {
    if (point.closed == 0 || !point.valid || !(point.goodput_per_s > 0) || point.loss > max_loss)
      continue;
    points.push_back({.in_flight = static_cast<double>(point.closed),
                      .throughput_per_s = point.goodput_per_s,
                      .weight = 1,
                      .block = point.block});
  }
  return points;
}

}  // namespace precipice
