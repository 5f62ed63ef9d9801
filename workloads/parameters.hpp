// The keys that several workloads share, read and checked in one place.
#pragma once

#include <string_view>

#include "models/distribution.hpp"
#include "models/options.hpp"
#include "models/request.hpp"

namespace precipice {

inline constexpr std::string_view kDistHelp =
    "shape of the draws: fixed, exponential, lognormal(cv), bimodal(p,short,long), pareto(alpha) or"
    " stragglers(cv,share,factor); the mean is the duration named";

inline constexpr std::string_view kDrawsHelp =
    "stratified: 4,096 values of equal share, so that a short trial has the mean and the tail "
    "named; free: each wait is drawn anew, for tails rarer than 1 in 4,096";

/// Whether the `draws` key says free. Throws UsageError.
bool free_draws_option(const Options& options);
/// The `dist` key of `component`. Throws UsageError.
Distribution dist_option(const Options& options, std::string_view component);
/// A mean duration: above 0 (or from 0 where `zero_allowed`) and at most a minute. Throws
/// UsageError.
Nanos mean_option(const Options& options, std::string_view component, std::string_view key,
                  bool zero_allowed = false);

}  // namespace precipice
