// What a user writes to name a thing to measure: `fixed_pool:threads=8`, `p99 < 10xS`, a rate.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/trial/trial.hpp"

namespace precipice {

/// `name` or `name:key=value,key=value`, syntax only. Commas and equal signs inside parentheses
/// belong to the value. Throws UsageError that names `what` and shows the form.
Spec parse_spec(std::string_view text, std::string_view what);
/// A series: as parse_spec, then `|` and what its policies are called, if it has any.
Spec parse_series(std::string_view text, std::string_view what);
/// As parse_spec, and then check_model.
Spec parse_model(std::string_view text);
/// As parse_spec, and then check_workload.
Spec parse_workload(std::string_view text);

/// Throws UsageError when the name is not registered or a key or value is not one of the
/// component's. Values are checked by constructing the component, which starts nothing.
void check_model(const Spec& spec);
void check_workload(const Spec& spec);

/// For tables and messages: the name, then the given values: `fixed_pool threads=8`, fit for a line
/// of a terminal.
std::string label(const Spec& spec);

/// `p99<5ms`, `p99 < 10xS`; `<=` means the same. Percentiles p50, p90, p95, p99, p99.9 (or p999).
/// Throws UsageError that shows both forms.
Slo parse_slo(std::string_view text);
/// The SLO as it would be written in a suite; "default" when it is left to the rule of the harness.
std::string to_string(const Slo& slo);

/// One generator CPU offers one to a few million requests a second to a model that does nothing;
/// rates past this cannot be offered by any machine known today.
inline constexpr double kHighestRatePerS = 5e6;
/// A finite rate above 0 and at most `highest`, requests per second; `5k` and `1.2M` are
/// understood. Throws UsageError that names `what` and the highest rate.
double parse_rate(std::string_view text, std::string_view what, double highest = kHighestRatePerS);

}  // namespace precipice
