// What the simulated queues of the coverage study really do, from closed forms and exact numerics:
// nothing here is simulated, and nothing of the harness's own queues is used. Times are in units of
// the mean service time S, rates in requests per S.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace precipice::coverage {

/// One queue in equilibrium, as functions of the offered rate.
struct QueueTruth {
  /// P(response > t) of a request that was let in.
  std::function<double(double rate, double t)> tail;
  std::function<double(double rate)> mean_response;
  std::function<double(double rate)> loss;  ///< share refused
  double saturation = 1;                    ///< highest throughput, of a closed loop or an overload
};

/// Exponential service, one queue before `servers` (Erlang C; Kleinrock, Queueing Systems 1, 1975).
QueueTruth mmc(int servers);
/// Fixed service (Erlang 1909) or any mixture of fixed ones: the waiting time W solves
/// W'(t) = rate (W(t) - sum p_i W(t - x_i)), integrated by the fourth-order method of Runge and
/// Kutta. Every x_i is a multiple of `lattice`, and their mean is 1.
struct Atom {
  double p, x;
};
QueueTruth mg1(std::vector<Atom> service, double lattice);
/// Exponential service, shared equally by all present: the life of a tagged request among n others,
/// by its backward equations (Coffman, Muntz and Trotter, Journal of the ACM 17, 1970).
QueueTruth mm1_sharing();
/// `servers` queues of exponential service, chosen at random.
QueueTruth random_split(int servers);
/// Exponential service, at most `room` in the system, others refused.
QueueTruth mm1k(int room);

/// The highest rate at which the percentile (99 for 0.01) stays within `bound` and the loss within
/// `max_loss`.
double true_cliff(const QueueTruth& queue, double bound, double share_above = 0.01,
                  double max_loss = 0.001);
/// Where throughput / mean response is highest.
double true_knee(const QueueTruth& queue);

}  // namespace precipice::coverage
