#include "harness/report/ranking_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "harness/format.hpp"
#include "harness/report/estimate_text.hpp"
#include "harness/report/series_names.hpp"
#include "harness/report/text_style.hpp"
#include "harness/report/text_table.hpp"
#include "harness/stats/statistics.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

/// Three decimals around 1, three digits far from it.
std::string ratio_digits(double ratio) {
  return ratio >= 0.1 && ratio < 10 ? fmt::format("{:.3f}", ratio) : fmt::format("{:.3g}", ratio);
}

/// Rankings side by side. A number stands for the first measured row, and a bound for itself.
TextTable ranking_table(const std::vector<const Ranking*>& rankings, bool intervals,
                        const TableStyle& style) {
  std::vector<std::string> header;
  for (const Ranking* each : rankings) {
    header.push_back((header.empty() ? "by " : "~by ") + each->figure);
    header.insert(header.end(), {"of the best", "<"});
  }
  TextTable table(header);
  std::vector<std::vector<std::string>> names;
  for (const Ranking* each : rankings) {
    std::vector<const Spec*> models;
    for (const Ranking::Row& row : each->rows) models.push_back(&row.model);
    names.push_back(series_names(models));
  }
  for (std::size_t row = 0; row < rankings.front()->rows.size(); ++row) {
    std::vector<std::string> fields;
    for (std::size_t i = 0; i < rankings.size(); ++i) {
      const Ranking::Row& r = rankings[i]->rows[row];
      Comparison shown = r.to_first;
      if (!intervals) shown.low = shown.high = kNaN;
      const bool ratio = r.estimate.reached == Reached::ok && shown.ratio != 1;
      fields.push_back(names[i][row]);
      fields.push_back(ratio ? ratio_text(shown, style) : figure_text(r.estimate, false, style));
      fields.push_back(r.groups);
    }
    table.row(std::move(fields));
  }
  return table;
}

/// Side by side, else one below the other, else without intervals.
std::string ranking_text(const Ranking& cliff, const Ranking& saturation, const TableStyle& style) {
  const auto room = static_cast<std::size_t>(std::max(style.width, 1));
  const TextTable both = ranking_table({&cliff, &saturation}, true, style);
  if (both.width() <= room) return both.text(style);
  std::string text;
  for (const Ranking* each : {&cliff, &saturation}) {
    TextTable table = ranking_table({each}, true, style);
    if (table.least_width() > room) table = ranking_table({each}, false, style);
    text += table.text(style);
  }
  return text;
}

}  // namespace

std::string figure_text(const Estimate& e, bool interval, const TableStyle& style) {
  if (e.reached == Reached::above && std::isfinite(e.value))
    return (style.utf8 ? "≥ " : ">= ") + short_rate(e.value);
  return rate_text(e, interval, style);
}

std::string ratio_text(const Comparison& c, const TableStyle& style) {
  if (!(c.ratio > 0)) return dash(style);
  if (!std::isfinite(c.low) || !std::isfinite(c.high)) return ratio_digits(c.ratio);
  // Two or three blocks under a correction for hundreds of comparisons know nothing.
  constexpr double kNothingKnown = 1e4;
  if (c.high / c.low > kNothingKnown) return fmt::format("{} [unknown]", ratio_digits(c.ratio));
  return fmt::format("{} [{}, {}]", ratio_digits(c.ratio), ratio_digits(c.low),
                     ratio_digits(c.high));
}

std::string ranking(const RunRanking& all, const TableStyle& style) {
  std::string text;
  bool letters = false;
  for (std::size_t i = 0; i + 1 < all.rankings.size(); i += 2) {
    const Ranking &cliff = all.rankings[i], &saturation = all.rankings[i + 1];
    std::string title = bold(label(cliff.workload), style);
    std::vector<std::string> parts;
    for (const Ranking* each : {&cliff, &saturation}) {
      if (std::isfinite(each->detectable))
        parts.push_back(fmt::format("{} {}", each->figure, percent(each->detectable)));
    }
    if (!parts.empty())
      title += fmt::format(": smallest detectable difference {}{}", fmt::join(parts, ", "),
                           cliff.rows.size() == 1 ? " (between two such runs)" : "");
    if (cliff.rows.size() < 2) {
      if (!parts.empty()) text += wrapped(title, style, 2) + '\n';
      continue;
    }
    for (const Ranking::Row& row : cliff.rows) letters = letters || !row.groups.empty();
    text += wrapped(title, style, 2) + ranking_text(cliff, saturation, style) + '\n';
  }
  if (all.tests == 0) return text;
  text += wrapped(
      fmt::format("Intervals hold at 95% for all comparisons of one workload and figure, by Holm's "
                  "correction.{}",
                  letters ? " Models that share a letter cannot be told apart."
                          : " It takes 2 blocks to compare models."),
      style);
  return text;
}

}  // namespace precipice
