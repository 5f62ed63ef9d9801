// An estimate as tables show it: a value with its interval, a bound with its sign, or a dash.
#pragma once

#include <string>
#include <string_view>

#include "harness/report/text_style.hpp"
#include "harness/stats/estimate.hpp"

namespace precipice {

/// Stands for what was not measured.
std::string dash(const TableStyle& style);

/// "< " before an upper bound, "> " before a lower one, else "".
std::string_view bound_mark(const Estimate& estimate);

/// "12.3k [12.1k, 12.5k]", "> 12.3k" or a dash.
std::string rate_text(const Estimate& estimate, bool interval, const TableStyle& style);

}  // namespace precipice
