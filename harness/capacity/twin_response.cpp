#include "harness/capacity/twin_response.hpp"

#include "harness/stats/statistics.hpp"

namespace precipice {

TwinResponse response_against_twin(const std::vector<Point>& trials, const Twin& twin) {
  std::vector<double> queueing, added;
  for (const Point& point : trials) {
    if (!twin.replayable(point)) continue;
    const double ideal_ns = twin.mean_of_replay_ns(point, TwinOrder::fcfs, 0);
    queueing.push_back(ideal_ns - twin.service().mean_ns);
    added.push_back(point.mean_response_ns - ideal_ns);
  }
  TwinResponse result;
  result.trials = static_cast<int>(added.size());
  if (added.empty()) return result;
  result.queueing_ns = median(queueing);
  result.added_ns = median(added);
  return result;
}

}  // namespace precipice
