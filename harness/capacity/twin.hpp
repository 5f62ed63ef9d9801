// The ideal queue on the arrivals and draws of a real trial. What it does on them, against what it
// does in the long run, is the luck of that trial's sequence: a control variate for everything
// that is read off the trial (Law and Kelton, Simulation Modeling and Analysis, 11.4; Lavenberg
// and Welch, Management Science 27, 1981).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "harness/capacity/long_run.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/twin_order.hpp"
#include "harness/stats/histogram.hpp"
#include "harness/trial/arrivals.hpp"

namespace precipice {

/// How much longer the twin's services are than the draws, since a model adds overhead to the
/// work: the factor is exp(stretch / 100). An integer, so that replays can be cached by it.
using TwinStretch = int;
double stretch_factor(TwinStretch stretch);

/// Immutable to its users; thread-safe.
class Twin {
 public:
  /// The service times of a cell.
  struct Service {
    std::string kind;  ///< cells of one kind draw the same: their long run is shared
    std::size_t servers = 1;
    /// Requests that can be begun and not ended: with more than servers they may interrupt each
    /// other.
    std::size_t most_at_once = LongRun::kUnlimited;
    double mean_ns = 0;  ///< S
    /// A draw with mean 1, of request `id` with its own `seed`. Pure.
    std::function<double(std::uint64_t id, std::uint64_t seed)> draw;
    bool varies = true;      ///< draws differ
    bool may_share = false;  ///< whatever `most_at_once` says
  };
  /// `arrivals` at rate x time: not bursts, whose times do not scale with the rate, nor traces.
  Twin(Service service, const Arrivals& arrivals)
      : service_(std::move(service)), arrivals_(arrivals) {}
  static bool scales(const Arrivals& arrivals);

  const Service& service() const { return service_; }
  /// Every order but first come, first served interrupts a request for another.
  bool can(TwinOrder order) const {
    return order == TwinOrder::fcfs || service_.most_at_once > service_.servers ||
           (order == TwinOrder::sharing && service_.may_share);
  }
  /// Servers / S, stretched.
  double capacity_per_s(TwinStretch stretch) const;

  /// What the window of one trial would have shown.
  struct Replay {
    Histogram responses;  ///< of the requests that arrive in it, empty for a closed loop
    double mean_ns = 0;
    double goodput_per_s = 0;  ///< ends in it
  };
  /// Whether a trial is short enough for its luck to matter: the replay of any other costs more
  /// than it tells.
  bool replayable(const Point& point) const;
  std::shared_ptr<const Replay> replay(const Point& point, TwinOrder order,
                                       TwinStretch stretch) const;
  /// Its mean alone, which is kept for good.
  double mean_of_replay_ns(const Point& point, TwinOrder order, TwinStretch stretch) const;

  /// The share of requests beyond a bound in the long run at a rate, as its logarithm. Far below
  /// one in the sample's size it is a constant.
  double log_share_beyond(TwinOrder order, TwinStretch stretch, double rate_per_s,
                          double bound_ns) const;
  /// Standard error of that logarithm.
  double error_of_share(TwinOrder order, TwinStretch stretch, double rate_per_s,
                        double log_share) const;
  /// The mean response in the long run.
  double mean_ns(TwinOrder order, TwinStretch stretch, double rate_per_s) const;

 private:
  using Key =
      std::tuple<std::uint64_t, double, std::uint64_t, std::int64_t, std::int64_t, int, int>;

  static Key key_of(const Point& point, TwinOrder order, TwinStretch stretch);
  Replay replay_now(const Point& point, TwinOrder order, TwinStretch stretch) const;
  LongRun& long_run(TwinOrder order) const;

  Service service_;
  Arrivals arrivals_;
  mutable std::mutex mutex_;
  mutable std::map<Key, std::shared_ptr<const Replay>> kept_;
  mutable std::map<Key, double> means_ns_;
  mutable std::size_t kept_bytes_ = 0;
};

}  // namespace precipice
