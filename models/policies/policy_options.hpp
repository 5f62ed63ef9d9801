// Readings of option values that several policies share.
#pragma once

#include <string_view>

#include "models/options.hpp"

namespace precipice {

/// `5%` or `0.05`: a share from 0 to 1. Throws UsageError that names component, key and cure.
double share_option(const Options& options, std::string_view component, std::string_view key);

}  // namespace precipice
