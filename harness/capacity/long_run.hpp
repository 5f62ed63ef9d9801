// The response times of an ideal queue in the long run, by load: simulated once for a kind of
// queue and shared by all that ask.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "harness/capacity/twin_order.hpp"
#include "harness/trial/arrivals.hpp"

namespace precipice {

/// G/G/c. Times are in multiples of the mean service time, loads are shares of
/// capacity. Thread-safe. All loads see the same arrivals and draws, so that the curves are smooth;
/// four million requests (one million but for `fcfs`) leave a share of 1% uncertain by 2 to 4%
/// (twice that), which moves the load at which it is reached by 0.4 to 0.8% of the headroom there.
/// Loads are clamped to [0.02, 0.98].
class LongRun {
 public:
  struct Queue {
    std::string kind;  ///< of the draws: what is known of a kind is shared
    std::size_t servers = 1;
    TwinOrder order = TwinOrder::fcfs;
    std::size_t most_at_once = kUnlimited;  ///< begun and not ended; with `preemption`
  };
  static constexpr std::size_t kUnlimited = ~std::size_t{0};

  /// `draw`: see Twin::Service.
  LongRun(Queue queue, const Arrivals& arrivals,
          const std::function<double(std::uint64_t, std::uint64_t)>& draw);

  /// Logarithm of the share of requests whose response exceeds `bound`, 0 < load < 1.
  double log_share_beyond(double load, double bound);
  double mean(double load);
  /// Standard error of a share, relative: requests beyond a bound come in bursts.
  double error_of_share(double load, double log_share) const;

  /// Shared for the life of the process by all of a kind.
  static LongRun& of(const Queue& queue, const Arrivals& arrivals,
                     const std::function<double(std::uint64_t, std::uint64_t)>& draw);

 private:
  struct AtLoad {
    std::vector<float> edges;       ///< ascending responses
    std::vector<float> log_beyond;  ///< logarithm of the share above each
    double mean = 0;
  };

  const AtLoad& at(int step);
  AtLoad simulate(double load) const;

  Queue queue_;
  std::vector<float> gaps_, draws_;  ///< mean 1
  std::mutex mutex_;
  std::map<int, AtLoad> known_;
};

}  // namespace precipice
