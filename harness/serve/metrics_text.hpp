// The figures of a server in Prometheus's text format, version 0.0.4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/serve/server_metrics.hpp"
#include "models/model.hpp"

namespace precipice::serve {

struct MetricsPage {
  std::string_view model;  ///< as it was given
  ServerCounts counts;
  std::uint64_t connections = 0;          ///< open now
  std::uint64_t accepted = 0;             ///< since the start
  std::uint64_t refused_connections = 0;  ///< by a limit or by the model
  ModelStats model_stats;
};

std::string metrics_text(const MetricsPage& page);

}  // namespace precipice::serve
