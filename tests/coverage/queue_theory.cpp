#include "tests/coverage/queue_theory.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace precipice::coverage {
namespace {

double no_loss(double) { return 0; }

/// Erlang C: the share of requests that wait.
double share_waiting(int servers, double rate) {
  double term = 1, sum = 1;
  for (int k = 1; k < servers; ++k) sum += term *= rate / k;
  term *= rate / servers;
  const double all_busy = term / (1 - rate / servers);
  return all_busy / (sum + all_busy);
}

/// Distribution of the waiting time at every step up to `until`, with an equal number of steps in
/// each lattice unit.
class Waiting {
 public:
  Waiting(const std::vector<Atom>& service, double lattice, double rate, double until)
      : step_(lattice / kSteps) {
    const auto count = static_cast<std::size_t>(std::ceil(until / step_)) + 2;
    value_.reserve(count);
    value_.push_back(1 - rate);  // the mean service is 1
    const auto earlier = [&](double position) {
      if (position < 0) return 0.0;
      const auto at = static_cast<std::size_t>(position);
      const double part = position - static_cast<double>(at);
      if (part == 0 || at + 1 >= value_.size()) return value_[at];
      if (at == 0 || at + 2 >= value_.size()) {
        return value_[at] + part * (value_[at + 1] - value_[at]);
      }
      // The middle of four (Lagrange): half steps of Runge and Kutta ask for nothing else.
      return (-value_[at - 1] + 9 * value_[at] + 9 * value_[at + 1] - value_[at + 2]) / 16;
    };
    const auto slope = [&](double position, double value, bool from_left = false) {
      double delayed = 0;
      for (const Atom& atom : service) {
        const double at = position - std::round(atom.x / lattice) * kSteps;
        // The distribution jumps at 0, which a step that ends there has not seen.
        if (!(from_left && at <= 0)) delayed += atom.p * earlier(at);
      }
      return rate * (value - delayed);
    };
    while (value_.size() < count) {
      const auto at = static_cast<double>(value_.size() - 1);
      const double now = value_.back();
      const double k1 = slope(at, now);
      const double k2 = slope(at + 0.5, now + 0.5 * step_ * k1);
      const double k3 = slope(at + 0.5, now + 0.5 * step_ * k2);
      const double k4 = slope(at + 1, now + step_ * k3, true);
      value_.push_back(now + step_ / 6 * (k1 + 2 * k2 + 2 * k3 + k4));
    }
  }
  double at(double t) const {
    if (t < 0) return 0;
    const double position = t / step_;
    const auto index = std::min(static_cast<std::size_t>(position), value_.size() - 2);
    const double part = position - static_cast<double>(index);
    return value_[index] + part * (value_[index + 1] - value_[index]);
  }

 private:
  static constexpr double kSteps = 400;
  double step_;
  std::vector<double> value_;
};

}  // namespace

QueueTruth mmc(int servers) {
  QueueTruth queue;
  queue.saturation = servers;
  queue.loss = no_loss;
  queue.tail = [servers](double rate, double t) {
    const double waiting = share_waiting(servers, rate), spare = servers - rate;
    // Service alone, or a wait of exponential(spare) before it.
    if (std::abs(spare - 1) < 1e-9) return std::exp(-t) * (1 + waiting * t);
    const double both = (std::exp(-spare * t) - spare * std::exp(-t)) / (1 - spare);
    return (1 - waiting) * std::exp(-t) + waiting * both;
  };
  queue.mean_response = [servers](double rate) {
    return 1 + share_waiting(servers, rate) / (servers - rate);
  };
  return queue;
}

QueueTruth mg1(std::vector<Atom> service, double lattice) {
  double square = 0;
  for (const Atom& atom : service) square += atom.p * atom.x * atom.x;
  QueueTruth queue;
  queue.loss = no_loss;
  queue.tail = [service, lattice](double rate, double t) {
    const Waiting waiting(service, lattice, rate, t);
    double below = 0;
    for (const Atom& atom : service) below += atom.p * waiting.at(t - atom.x);
    return 1 - below;
  };
  queue.mean_response = [square](double rate) { return 1 + rate * square / (2 * (1 - rate)); };
  return queue;
}

QueueTruth mm1_sharing() {
  QueueTruth queue;
  queue.loss = no_loss;
  queue.tail = [](double rate, double t) {
    // g[n]: still there after the time so far, with n others at its arrival.
    const auto states =
        static_cast<std::size_t>(std::clamp(std::log(1e-12) / std::log(rate), 60.0, 4000.0));
    std::vector<double> g(states, 1), next(states), k(states), sum(states);
    const auto change = [&](const std::vector<double>& from) {
      for (std::size_t n = 0; n < states; ++n) {
        const double others = static_cast<double>(n) / static_cast<double>(n + 1);
        const double up = n + 1 < states ? from[n + 1] : from[n];
        k[n] = -(rate + 1) * from[n] + rate * up + (n > 0 ? others * from[n - 1] : 0);
      }
    };
    const int steps = static_cast<int>(std::ceil(t * 20));
    const double h = t / steps;
    for (int i = 0; i < steps; ++i) {
      sum = g;
      constexpr double kShare[] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
      constexpr double kNext[] = {0.5, 0.5, 1, 0};
      next = g;
      for (int stage = 0; stage < 4; ++stage) {
        change(next);
        for (std::size_t n = 0; n < states; ++n) {
          sum[n] += kShare[stage] * h * k[n];
          next[n] = g[n] + kNext[stage] * h * k[n];
        }
      }
      g = sum;
    }
    double tail = 0, weight = 1 - rate;
    for (std::size_t n = 0; n < states; ++n, weight *= rate) tail += weight * g[n];
    return tail;
  };
  queue.mean_response = [](double rate) { return 1 / (1 - rate); };
  return queue;
}

QueueTruth random_split(int servers) {
  const QueueTruth one = mmc(1);
  QueueTruth queue;
  queue.saturation = servers;
  queue.loss = no_loss;
  queue.tail = [one, servers](double rate, double t) { return one.tail(rate / servers, t); };
  queue.mean_response = [one, servers](double rate) { return one.mean_response(rate / servers); };
  return queue;
}

QueueTruth mm1k(int room) {
  const auto shares = [room](double rate) {
    std::vector<double> share(static_cast<std::size_t>(room) + 1, 1);
    double sum = 1;
    for (std::size_t n = 1; n < share.size(); ++n) sum += share[n] = share[n - 1] * rate;
    for (double& each : share) each /= sum;
    return share;
  };
  QueueTruth queue;
  queue.loss = [shares](double rate) { return shares(rate).back(); };
  queue.tail = [shares](double rate, double t) {
    const std::vector<double> share = shares(rate);
    // A request that finds n leaves after n + 1 services: fewer than n + 1 events of a Poisson
    // process within t.
    double tail = 0, term = std::exp(-t), events = 0;
    for (std::size_t n = 0; n + 1 < share.size(); ++n) {
      events += term;
      term *= t / static_cast<double>(n + 1);
      tail += share[n] * events;
    }
    return tail / (1 - share.back());
  };
  queue.mean_response = [shares](double rate) {
    const std::vector<double> share = shares(rate);
    double mean = 0;
    for (std::size_t n = 0; n + 1 < share.size(); ++n)
      mean += share[n] * static_cast<double>(n + 1);
    return mean / (1 - share.back());
  };
  return queue;
}

double true_cliff(const QueueTruth& queue, double bound, double share_above, double max_loss) {
  double low = 0, high = queue.saturation;
  for (int i = 0; i < 50; ++i) {
    const double middle = 0.5 * (low + high);
    const bool holds = queue.loss(middle) <= max_loss && queue.tail(middle, bound) <= share_above;
    (holds ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

double true_knee(const QueueTruth& queue) {
  const auto power = [&](double rate) {
    return rate * (1 - queue.loss(rate)) / queue.mean_response(rate);
  };
  // One top: golden-section search.
  constexpr double kGolden = 0.6180339887498949;
  double low = 0, high = queue.saturation * 0.9999;
  for (int i = 0; i < 100; ++i) {
    const double a = high - kGolden * (high - low), b = low + kGolden * (high - low);
    (power(a) > power(b) ? high : low) = power(a) > power(b) ? b : a;
  }
  return 0.5 * (low + high);
}

}  // namespace precipice::coverage
