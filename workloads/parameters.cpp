#include "workloads/parameters.hpp"

#include <fmt/format.h>

#include <chrono>

namespace precipice {

Distribution dist_option(const Options& options, std::string_view component) {
  return Distribution::parse(options.text("dist"), fmt::format("{}: dist", component));
}

bool free_draws_option(const Options& options) {
  return options.choice("draws", {"stratified", "free"}) == "free";
}

Nanos mean_option(const Options& options, std::string_view component, std::string_view key,
                  bool zero_allowed) {
  const Nanos mean = options.duration(key);
  if (mean > std::chrono::minutes(1) || (mean == Nanos(0) && !zero_allowed)) {
    throw UsageError(fmt::format("{}: {}={} is not a duration {} 0 and up to 1m", component, key,
                                 options.text(key), zero_allowed ? "from" : "above"));
  }
  return mean;
}

}  // namespace precipice
