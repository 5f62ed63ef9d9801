#include "harness/report/tail_curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/record.hpp"
#include "harness/format.hpp"
#include "harness/report/estimate_text.hpp"
#include "harness/report/series_names.hpp"
#include "harness/report/text_style.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/stats/statistics.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

/// Glyphs of rising height.
const std::vector<std::string>& heights(const TableStyle& style) {
  static const std::vector<std::string> blocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static const std::vector<std::string> ascii = {"_", ".", "-", "~", "=", "+", "*", "#"};
  return style.utf8 ? blocks : ascii;
}

/// One logarithmic axis.
struct Axis {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  void take(double value) {
    if (!(value > 0)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return !(high > 0); }
  /// 0 at the low end, 1 at the high one.
  double share(double value) const {
    return high > low ? std::log(value / low) / std::log(high / low) : 0;
  }
  double at(double share) const { return low * std::pow(high / low, share); }
};

struct Line {
  const CellSummary* cell;
  TailCurve curve;
  std::string name = "";
};

std::size_t level(const Axis& axis, double value, std::size_t levels) {
  const double share = std::clamp(axis.share(value), 0.0, 1.0);
  return std::min(levels - 1, static_cast<std::size_t>(share * static_cast<double>(levels)));
}

/// Where a tail stands among `levels` heights: with an SLO, what meets it takes the lower half and
/// what breaks it the upper one, so that the crossing is seen without colours too.
std::size_t height_of(const Axis& tails, double p99, double slo_ns, std::size_t levels) {
  if (!(slo_ns > 0)) return level(tails, p99, levels);
  const std::size_t half = levels / 2;
  const Axis below{std::min(tails.low, slo_ns), slo_ns},
      above{slo_ns, std::max(tails.high, slo_ns)};
  return p99 > slo_ns ? half + level(above, p99, levels - half) : level(below, p99, half);
}

/// One character per step of load.
std::string drawn(const Line& line, const Axis& loads, const Axis& tails, std::size_t width,
                  double slo_ns, const TableStyle& style) {
  const std::vector<std::string>& glyphs = heights(style);
  // A rate lies in the column whose middle is nearest, so that the outermost ones are seen too.
  const double half_column = loads.high > loads.low && width > 1
                                 ? std::pow(loads.high / loads.low, 0.5 / double(width - 1))
                                 : 1;
  std::string text;
  bool red = false;
  for (std::size_t i = 0; i < width; ++i) {
    const double rate = width > 1 ? loads.at(double(i) / double(width - 1)) : loads.high;
    double p99 = tail_at(line.curve, rate);
    if (std::isnan(p99)) {
      const double nearest =
          std::clamp(rate, line.curve.rate_per_s.front(), line.curve.rate_per_s.back());
      if (std::max(nearest / rate, rate / nearest) <= half_column * (1 + 1e-9))
        p99 = tail_at(line.curve, nearest);
    }
    const bool breaks = slo_ns > 0 && p99 > slo_ns;
    if (style.colour && breaks != red) {
      text += breaks ? "\033[31m" : "\033[0m";
      red = breaks;
    }
    text += std::isnan(p99) ? " " : glyphs[height_of(tails, p99, slo_ns, glyphs.size())];
  }
  return red ? text + "\033[0m" : text;
}

std::string cliff_text(const CellSummary& cell) {
  const Estimate& cliff = cell.result.cliff;
  if (cliff.reached == Reached::unmeasured || !std::isfinite(cliff.value)) return "";
  return fmt::format("{}{}/s", bound_mark(cliff), short_rate(cliff.value));
}

/// Of p99, and of all lines; else 0.
double common_slo_ns(const std::vector<Line>& lines) {
  const CellSummary& any = *lines.front().cell;
  const bool common = std::all_of(lines.begin(), lines.end(), [&](const Line& line) {
    return line.cell->slo_percentile == 99 &&
           short_time(line.cell->slo_ns) == short_time(any.slo_ns);
  });
  return common ? any.slo_ns : 0;
}

std::string section(const std::vector<Line>& lines, const TableStyle& style) {
  Axis loads, tails;
  std::size_t names = 0, cliffs = 0;
  for (const Line& line : lines) {
    for (const double rate : line.curve.rate_per_s) loads.take(rate);
    for (const double p99 : line.curve.p99_ns) tails.take(p99);
    names = std::max(names, columns(line.name));
    cliffs = std::max(cliffs, cliff_text(*line.cell).size());
  }
  const CellSummary& any = *lines.front().cell;
  const double slo = common_slo_ns(lines);
  const std::vector<std::string>& glyphs = heights(style);

  const auto glyph = [&](double p99) { return glyphs[height_of(tails, p99, slo, glyphs.size())]; };
  std::string head = fmt::format("{}: p99 from {} ({}) to {} ({})",
                                 bold(label(any.workload), style), short_time(tails.low),
                                 glyph(tails.low), short_time(tails.high), glyph(tails.high));
  if (slo > 0) {
    head +=
        fmt::format(", {} and up breaks the SLO {}", glyphs[glyphs.size() / 2], short_time(slo));
  }
  head += fmt::format("; load from {}/s to {}/s", short_rate(loads.low), short_rate(loads.high));

  // The curve keeps 24 columns where it can: names get shorter, then the cliff gives way.
  constexpr std::size_t kWanted = 24, kLeast = 10, kMost = 64, kShortestName = 12;
  constexpr std::size_t kMargin = 2, kGap = 2;
  const auto width = static_cast<std::size_t>(std::max(style.width, 24));
  const std::string_view word = "cliff ";
  std::size_t right = kGap + word.size() + cliffs;
  const auto others = [&] { return kMargin + names + kGap + right; };
  if (others() + kWanted > width)
    names = std::max(std::min(names, kShortestName),
                     names - std::min(names, others() + kWanted - width));
  if (others() + kLeast > width) right = 0;
  names = std::min(names, width - kMargin - kGap - kLeast - right);
  const std::size_t curve = std::min(kMost, width - kMargin - names - kGap - right);

  std::string text = wrapped(head, style, 2);
  std::vector<std::string> fitted;
  for (const Line& line : lines) fitted.push_back(line.name);
  fitted = fitted_names(fitted, names, style);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    std::string row =
        fmt::format("  {:<{}}  {}", fitted[i], names, drawn(line, loads, tails, curve, slo, style));
    const std::string cliff = cliff_text(*line.cell);
    if (right > 0 && !cliff.empty()) row += fmt::format("  {}{:>{}}", word, cliff, cliffs);
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + '\n';
  }
  return text;
}

}  // namespace

TailCurve tail_curve(const CellSummary& cell) {
  // The blocks repeat the same rates; what differs by less than half a percent is one rate.
  std::map<long, std::pair<double, std::vector<double>>> by_rate;
  for (const Record& record : cell.points) {
    const TrialRequest& request = record.trial.request;
    if (!record.used || !record.trial.response.known || request.closed > 0 ||
        !(request.rate_per_s > 0))
      continue;
    auto& [rate, tails] = by_rate[std::lround(200 * std::log(request.rate_per_s))];
    rate = request.rate_per_s;
    tails.push_back(static_cast<double>(record.trial.response.p99));
  }
  TailCurve curve;
  for (auto& [key, found] : by_rate) {
    const double p99 = median(std::move(found.second));
    if (!(p99 > 0)) continue;
    curve.rate_per_s.push_back(found.first);
    curve.p99_ns.push_back(p99);
  }
  return curve;
}

double tail_at(const TailCurve& curve, double rate_per_s) {
  const auto& rates = curve.rate_per_s;
  if (rates.empty() || rate_per_s < rates.front() || rate_per_s > rates.back())
    return std::numeric_limits<double>::quiet_NaN();
  const auto next = std::lower_bound(rates.begin(), rates.end(), rate_per_s);
  const auto i = static_cast<std::size_t>(next - rates.begin());
  if (i == 0) return curve.p99_ns.front();
  const double share = std::log(rate_per_s / rates[i - 1]) / std::log(rates[i] / rates[i - 1]);
  return curve.p99_ns[i - 1] * std::pow(curve.p99_ns[i] / curve.p99_ns[i - 1], share);
}

std::string curves(const CampaignResult& result, const TableStyle& style) {
  std::vector<std::pair<std::string, std::vector<Line>>> sections;
  for (const CellSummary& cell : result.cells) {
    Line line{&cell, tail_curve(cell)};
    if (line.curve.rate_per_s.empty()) continue;
    const std::string workload = cell.workload.to_string();
    auto known = std::find_if(sections.begin(), sections.end(),
                              [&](const auto& each) { return each.first == workload; });
    if (known == sections.end()) known = sections.insert(known, {workload, {}});
    known->second.push_back(std::move(line));
  }
  std::string text;
  for (auto& [workload, lines] : sections) {
    std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
      return a.cell->result.cliff.value > b.cell->result.cliff.value;
    });
    std::vector<const Spec*> models;
    for (const Line& line : lines) models.push_back(&line.cell->model);
    const std::vector<std::string> names = series_names(models);
    for (std::size_t i = 0; i < lines.size(); ++i) lines[i].name = names[i];
    text += section(lines, style) + '\n';
  }
  if (!text.empty()) {
    text += wrapped(
        "Logarithmic axes, shared by a workload's lines; between measured rates a line "
        "is interpolated.",
        style);
  }
  return text;
}

}  // namespace precipice
