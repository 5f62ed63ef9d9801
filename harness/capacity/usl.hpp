// The Universal Scalability Law fitted to a closed-loop sweep: how much a model loses to waiting in
// line and how much to keeping its workers agreed. Pure: points in, figures out.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "harness/capacity/cliff.hpp"
#include "harness/capacity/point.hpp"
#include "harness/stats/estimate.hpp"

namespace precipice {

/// One closed-loop trial.
struct UslPoint {
  double in_flight = 1;         ///< N >= 1
  double throughput_per_s = 0;  ///< > 0; other points are left out
  double weight = 1;            ///< > 0, relative to the other points of the sweep
  int block = 0;
};

struct UslOptions {
  int bootstrap = 1000;
  std::uint64_t seed = 1;
};

/// Gunther's law (Guerrilla Capacity Planning, 2007, chapter 4; "A General Theory of Computational
/// Scalability Based on Rational Functions", 2008):
///
///     X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))
///
/// N is the number of requests in flight, whatever the number of threads or CPUs: a model with c
/// CPUs or work that waits simply has a small sigma, and bends where its CPUs are full. So sigma of
/// work on c CPUs is near 1 / c once the sweep goes far past c, and is no defect of the model;
/// kappa is what only falls of throughput can show.
struct UslFit {
  Estimate lambda_per_s;  ///< throughput of one request alone, per second
  Estimate sigma;         ///< contention, the serial share: >= 0; 1 is a single server
  Estimate kappa;         ///< crosstalk, the cost of agreement: >= 0; 0 means no retrograde region
  /// sqrt((1 - sigma) / kappa), the N of the highest throughput, and the throughput there. "above":
  /// the sweep does not show the peak, because the interval of kappa holds 0, because the peak lies
  /// beyond the largest N measured, or because the throughput there is not below the highest by
  /// more than twice the relative rms; the value is then that N and the curve there, and only `low`
  /// bounds the peak. "below": throughput falls from the smallest N on.
  Estimate peak_n, peak_per_s;
  /// Weighted root mean square of the residuals of log throughput, so relative: 0.02 is 2%. A fit
  /// with more than about 0.1 describes the curve badly, and its figures should not be used.
  double relative_rms = std::numeric_limits<double>::quiet_NaN();
  int distinct_n = 0;  ///< values of N that entered; fewer than kUslFewestN: nothing is fitted
  int blocks = 0;    ///< > 0: intervals are over this many blocks; 0: over the points of one sweep
  std::string note;  ///< why there is no fit, or ""

  bool fitted() const { return lambda_per_s.reached == Reached::ok; }
};

/// Three parameters and one degree of freedom.
inline constexpr int kUslFewestN = 4;

/// Weighted least squares of log throughput, sigma and kappa held at 0 or above (Gauss and Newton's
/// steps, each an exact small quadratic programme, from a linear fit of N / X). The points of one N
/// are merged to their geometric mean first, so that an N measured in every block counts as one
/// measured once. 95% intervals by bootstrap with Student's t: over blocks where at least three
/// hold a sweep of their own (kUslFewestN values of N each), otherwise over the residuals, scaled
/// sqrt(n / (n - 3)).
UslFit fit_usl(const std::vector<UslPoint>& points, const UslOptions& options = {});

/// The closed-loop points of a cell that can enter: valid, with goodput, and at most `max_loss` of
/// their requests shed, failed or unfinished.
std::vector<UslPoint> closed_loop_sweep(const std::vector<Point>& evidence,
                                        double max_loss = kMaxLossDefault);

}  // namespace precipice
