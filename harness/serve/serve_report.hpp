// What a server has done, when it ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/json.hpp"
#include "harness/serve/server_metrics.hpp"
#include "models/model.hpp"
#include "models/policies/attempt_counts.hpp"

namespace precipice::serve {

struct ServeReport {
  std::string model, workload, address;
  double elapsed_s = 0;
  std::uint64_t accepted = 0;             ///< connections
  std::uint64_t refused_connections = 0;  ///< closed at once: a limit, or the model
  ServerCounts counts;
  /// At the deadline of the end, or when it was cut short.
  std::uint64_t unfinished_connections = 0, unfinished_requests = 0;
  /// Of each executor: connections that it was given, and requests that it began.
  struct Share {
    std::uint64_t connections = 0, requests = 0;
  };
  std::vector<Share> executors;
  ModelStats model_stats;
  /// What policies made of the requests; none without policies.
  std::optional<AttemptCounts> attempts;

  /// The most connections that one executor was given over their mean; 1 is even.
  double skew() const;
};

Json to_json(const ServeReport& report);
/// For people, several lines.
std::string to_text(const ServeReport& report);

}  // namespace precipice::serve
