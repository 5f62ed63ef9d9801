#include "harness/report/capacity_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/indicative.hpp"
#include "harness/format.hpp"
#include "harness/report/estimate_text.hpp"
#include "harness/report/series_names.hpp"
#include "harness/report/text_style.hpp"
#include "harness/report/text_table.hpp"
#include "harness/shown_text.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

std::string share_text(const Estimate& e, bool interval, const TableStyle& style) {
  if (e.reached == Reached::unmeasured || !std::isfinite(e.value)) return dash(style);
  std::string text = fmt::format("{}{:.0f}%", bound_mark(e), 100 * e.value);
  if (interval && e.reached == Reached::ok && std::isfinite(e.low) && std::isfinite(e.high))
    text += fmt::format(" [{:.0f}, {:.0f}]", 100 * e.low, 100 * e.high);
  return text;
}

std::vector<std::string> names_of(const std::vector<const CellSummary*>& cells) {
  std::vector<const Spec*> models;
  for (const CellSummary* cell : cells) models.push_back(&cell->model);
  return series_names(models);
}

/// A valid figure with its interval, else what disturbed trials show, marked.
std::string measured_rate(const Estimate& valid, const Estimate& indicative, bool interval,
                          const TableStyle& style) {
  if (indicative.reached == Reached::unmeasured) return rate_text(valid, interval, style);
  return "~" + rate_text(indicative, false, style);
}

/// `detail`: 2 all intervals, 1 none of shares, 0 none.
TextTable rows_of(const std::vector<const CellSummary*>& cells, int detail,
                  const TableStyle& style) {
  const std::vector<std::string> header = {"model",    "cliff/s",     "of ideal", "saturation/s",
                                           "of ideal", "at 1.5x sat", "CPU/req",  "invalid"};
  TextTable table(header);
  const std::vector<std::string> names = names_of(cells);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const CellSummary* const cell = cells[i];
    const CellResult& r = cell->result;
    if (!cell->failure.empty()) {
      std::vector<std::string> row = {names[i]};
      row.resize(header.size(), dash(style));
      if (cell->indicative.any()) {
        row[1] = measured_rate(r.cliff, cell->indicative.cliff, false, style);
        row[3] = measured_rate(r.saturation, cell->indicative.saturation, false, style);
        row.back() = fmt::format("{}/{}", cell->invalid, cell->trials);
      }
      table.row(std::move(row));
      continue;
    }
    const bool saturates =
        r.cliff.reached == Reached::ok && r.cliff.limited_by == LimitedBy::saturation;
    table.row({names[i],
               measured_rate(r.cliff, cell->indicative.cliff, detail >= 1, style) +
                   (saturates ? " s" : ""),
               share_text(cell->cliff_of_ideal, detail >= 2, style),
               measured_rate(r.saturation, cell->indicative.saturation, detail >= 1, style),
               share_text(cell->saturation_of_ideal, detail >= 2, style),
               share_text(r.overload_retention, false, style),
               cell->cpu_ns_per_request > 0 ? short_time(cell->cpu_ns_per_request) : dash(style),
               fmt::format("{}/{}", cell->invalid, cell->trials)});
  }
  return table;
}

/// Columns that are read least go first, while the table is wider than `room` with names of at most
/// `name` columns.
bool narrowed(TextTable& table, std::size_t room, std::size_t name) {
  for (const std::string_view header :
       {"CPU/req", "at 1.5x sat", "of ideal", "of ideal", "invalid"}) {
    if (table.least_width(name) <= room) return true;
    table.drop(header);
  }
  return table.least_width(name) <= room;
}

/// Lines that are too long go on in the next, further in.
std::string folded(const std::string& text, const TableStyle& style) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    result += columns(line) > static_cast<std::size_t>(std::max(style.width, 20))
                  ? wrapped(line, style, 4)
                  : line + '\n';
    at = end + 1;
  }
  return result;
}

/// What policies cost and what each class of requests has, of those series that have them.
std::string policies_and_classes(const std::string& name, const CellSummary& cell,
                                 const TableStyle& style) {
  std::string text;
  if (!std::isnan(cell.attempts_per_request)) {
    text += fmt::format("  {}: {:.3g} attempts per request, {:.1f}% of them wasted\n", name,
                        cell.attempts_per_request, 100 * cell.wasted);
  }
  if (const Estimate cost = cost_per_million(cell); cost.reached != Reached::unmeasured) {
    const bool interval =
        cost.reached == Reached::ok && std::isfinite(cost.low) && std::isfinite(cost.high);
    text += fmt::format("  {}: a million requests at the cliff cost {}{:.3g}{}\n", name,
                        bound_mark(cost), cost.value,
                        interval ? fmt::format(" [{:.3g}, {:.3g}]", cost.low, cost.high) : "");
  }
  for (const ClassSummary& each : cell.classes) {
    text += fmt::format("  {}: class {} (p{:g} <= {}): cliff {}\n", name, shown_in_line(each.name),
                        cell.slo_percentile, short_time(each.slo_ns),
                        rate_text(each.cliff, true, style));
  }
  return text;
}

std::string notes_of(const std::vector<const CellSummary*>& cells, const TableStyle& style) {
  std::string text;
  const std::vector<std::string> names = names_of(cells);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const CellSummary* const cell = cells[i];
    if (!cell->failure.empty())
      text += fmt::format("  {}: not measured: {}\n", names[i], shown_in_line(cell->failure));
    if (cell->indicative.any()) {
      text += fmt::format("  {}: ~ is indicative: {} ({} of {} trials disturbed)\n", names[i],
                          shown_in_line(why_indicative(cell->indicative)),
                          cell->indicative.disturbed, cell->trials);
    }
    text += policies_and_classes(names[i], *cell, style);
    if (!cell->note.empty()) text += fmt::format("  {}: {}\n", names[i], shown_in_line(cell->note));
    if (!cell->invalid_causes.empty()) {
      std::vector<std::string> causes;
      for (const auto& [cause, times] : cell->invalid_causes)
        causes.push_back(fmt::format("{} {}", cause, times));
      text += fmt::format("  {}: invalid trials by cause: {}\n", names[i], fmt::join(causes, ", "));
    }
  }
  return text;
}

/// What all cells that have it show alike; "" where they differ, so that no row stands under the
/// figure of another.
template <class Text>
std::string common(const std::vector<const CellSummary*>& cells, Text text_of) {
  std::string all;
  for (const CellSummary* cell : cells) {
    const std::string own = text_of(*cell);
    if (own.empty() || own == all) continue;
    if (!all.empty()) return "";
    all = own;
  }
  return all;
}

std::string section(const std::vector<const CellSummary*>& cells, const TableStyle& style) {
  const CellSummary& any = *cells.front();
  std::string text = bold(label(any.workload), style);
  const auto time = [](double ns) { return ns > 0 ? short_time(ns) : std::string(); };
  const auto rate = [](double per_s) {
    return std::isfinite(per_s) && per_s > 0 ? short_rate(per_s) + "/s" : std::string();
  };
  const std::string service = common(cells, [&](const auto& c) { return time(c.service_time_ns); });
  const std::string slo = common(cells, [&](const auto& c) {
    return c.slo_ns > 0 ? fmt::format("SLO p{:g} {} {}", c.slo_percentile,
                                      style.utf8 ? "≤" : "<=", time(c.slo_ns))
                        : "";
  });
  const std::string ideal =
      common(cells, [&](const auto& c) { return rate(c.ideal_saturation_per_s); });
  const std::string ideal_cliff =
      common(cells, [&](const auto& c) { return rate(c.ideal_cliff_per_s); });
  if (!service.empty()) text += "   S " + service;
  if (!slo.empty()) text += "   " + slo;
  if (!ideal.empty()) text += "   ideal " + ideal;
  if (!ideal_cliff.empty()) text += (ideal.empty() ? "   ideal cliff " : ", cliff ") + ideal_cliff;
  text = folded(text, style);

  // A rate keeps its interval longer than the table keeps its last columns and long names.
  const auto room = static_cast<std::size_t>(std::max(style.width, 1));
  constexpr std::size_t kLongName = 32;
  TextTable table = rows_of(cells, 2, style);
  if (table.width() > room) {
    table = rows_of(cells, 1, style);
    if (!narrowed(table, room, kLongName)) {
      table = rows_of(cells, 0, style);
      narrowed(table, room, std::string::npos);
    }
  }
  constexpr std::size_t kShortestName = 8;
  table.shorten_names(style, kShortestName);
  return text + table.text(style) + folded(notes_of(cells, style), style);
}

double order_value(const CellSummary& cell) {
  if (!cell.failure.empty() || !std::isfinite(cell.result.cliff.value) ||
      cell.result.cliff.reached == Reached::unmeasured) {
    return -1;
  }
  return cell.result.cliff.value;
}

}  // namespace

std::string table(const CampaignResult& result, const TableStyle& style) {
  std::vector<std::string> workloads;
  for (const CellSummary& cell : result.cells) {
    const std::string name = cell.workload.to_string();
    if (std::find(workloads.begin(), workloads.end(), name) == workloads.end())
      workloads.push_back(name);
  }
  std::string text;
  bool saturated = false, indicative = false;
  for (const std::string& workload : workloads) {
    std::vector<const CellSummary*> cells;
    for (const CellSummary& cell : result.cells) {
      if (cell.workload.to_string() != workload) continue;
      cells.push_back(&cell);
      indicative = indicative || cell.indicative.any();
      saturated |= cell.result.cliff.limited_by == LimitedBy::saturation &&
                   cell.result.cliff.reached == Reached::ok;
    }
    std::stable_sort(cells.begin(), cells.end(), [](const CellSummary* a, const CellSummary* b) {
      return order_value(*a) > order_value(*b);
    });
    text += section(cells, style) + '\n';
  }
  std::string below;
  if (saturated)
    below += "s: the cliff is where it stops being stable, before the SLO is broken.\n";
  if (indicative) {
    below +=
        "~: from trials that the host disturbed, so likely too low; it enters no result, ranking, "
        "claim or comparison.\n";
  }
  below +=
      "at 1.5x sat: goodput at 1.5 times saturation, as a share of saturation. [low, high]: 95%.\n";
  if (result.blocks_done == 1)
    below += "1 block: the rows are in the order that was measured; it takes 2 to compare them.\n";
  return text + folded(below, style);
}

}  // namespace precipice
