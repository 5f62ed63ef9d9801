#include "harness/report/estimate_text.hpp"

#include <fmt/format.h>

#include <cmath>

#include "harness/format.hpp"

namespace precipice {

std::string dash(const TableStyle& style) { return style.utf8 ? "–" : "-"; }

std::string_view bound_mark(const Estimate& estimate) {
  if (estimate.reached == Reached::below) return "< ";
  return estimate.reached == Reached::above ? "> " : "";
}

std::string rate_text(const Estimate& estimate, bool interval, const TableStyle& style) {
  if (estimate.reached == Reached::unmeasured || !std::isfinite(estimate.value)) return dash(style);
  std::string text = fmt::format("{}{}", bound_mark(estimate), short_rate(estimate.value));
  if (interval && estimate.reached == Reached::ok && std::isfinite(estimate.low) &&
      std::isfinite(estimate.high))
    text += fmt::format(" [{}, {}]", short_rate(estimate.low), short_rate(estimate.high));
  return text;
}

}  // namespace precipice
