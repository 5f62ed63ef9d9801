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

#include "harness/trial/arrivals.hpp"

namespace precipice {

/// G/G/c with one queue. Times are in multiples of the mean service time, loads are shares of
/// capacity. Thread-safe. All loads see the same arrivals and draws, so that the curves are smooth;
/// four million requests (one million with `sharing`) leave a share of 1% uncertain by 2 to 4%
/// (twice that with `sharing`), which moves the load at which it is reached by 0.4 to 0.8% of the
/// headroom there. Loads are clamped to [0.02, 0.98].
class LongRun {
 public:
  /// `draw`: see Twin::Service. `sharing`: processor sharing instead of first come, first served.
  LongRun(std::size_t servers, bool sharing, const Arrivals& arrivals,
          const std::function<double(std::uint64_t, std::uint64_t)>& draw);

  /// Logarithm of the share of requests whose response exceeds `bound`, 0 < load < 1.
  double log_share_beyond(double load, double bound);
  double mean(double load);
  /// Standard error of a share, relative: requests beyond a bound come in bursts.
  double error_of_share(double load, double log_share) const;

  /// Shared for the life of the process by all of a kind.
  static LongRun& of(const std::string& kind, std::size_t servers, bool sharing,
                     const Arrivals& arrivals,
                     const std::function<double(std::uint64_t, std::uint64_t)>& draw);

 private:
  struct AtLoad {
    std::vector<float> edges;       ///< ascending responses
    std::vector<float> log_beyond;  ///< logarithm of the share above each
    double mean = 0;
  };

  const AtLoad& at(int step);
  AtLoad simulate(double load) const;

  std::size_t servers_;
  bool sharing_;
  std::vector<float> gaps_, draws_;  ///< mean 1
  std::mutex mutex_;
  std::map<int, AtLoad> known_;
};

}  // namespace precipice
