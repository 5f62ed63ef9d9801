// How the classes of a trial's requests are written on a command line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "harness/trial/trial.hpp"

namespace precipice {

/// Classes that one trial may have.
inline constexpr std::size_t kMostClasses = 16;

/// Letters, digits, '_' and '-', at least one.
bool is_class_name(std::string_view text);
/// Whether the shares sum to 1 within 1e-6, which allows for shares rounded to decimals.
bool shares_add_up(const std::vector<RequestClass>& classes);

/// `live:share=0.9,slo=p99<5ms`, one text each, the most important class first; `share` is a number
/// or a percentage above 0, and `slo`, which may be left out, a bound in time. Throws UsageError
/// that names `what` and the remedy, also where the shares do not add up to 1.
std::vector<RequestClass> parse_classes(const std::vector<std::string>& texts,
                                        std::string_view what);

}  // namespace precipice
