#include "harness/report/capacity_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/format.hpp"
#include "harness/report/series_names.hpp"
#include "harness/report/text_style.hpp"
#include "harness/shown_text.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

std::string padded(const std::string& text, std::size_t width, bool left) {
  const std::size_t used = columns(text);
  const std::string space(width > used ? width - used : 0, ' ');
  return left ? text + space : space + text;
}

class Writer {
 public:
  explicit Writer(const TableStyle& style) : style_(style) {}

  std::string rate(const Estimate& e, bool interval) const {
    if (e.reached == Reached::unmeasured || !std::isfinite(e.value)) return dash();
    if (e.reached == Reached::below) return "< " + short_rate(e.value);
    std::string text = (e.reached == Reached::above ? "> " : "") + short_rate(e.value);
    if (interval && e.reached == Reached::ok && std::isfinite(e.low) && std::isfinite(e.high))
      text += fmt::format(" [{}, {}]", short_rate(e.low), short_rate(e.high));
    return text;
  }
  std::string share(const Estimate& e, bool interval) const {
    if (e.reached == Reached::unmeasured || !std::isfinite(e.value)) return dash();
    const std::string mark = e.reached == Reached::below   ? "< "
                             : e.reached == Reached::above ? "> "
                                                           : "";
    std::string text = fmt::format("{}{:.0f}%", mark, 100 * e.value);
    if (interval && mark.empty() && std::isfinite(e.low) && std::isfinite(e.high))
      text += fmt::format(" [{:.0f}, {:.0f}]", 100 * e.low, 100 * e.high);
    return text;
  }
  std::string dash() const { return style_.utf8 ? "–" : "-"; }
  std::string bold(const std::string& text) const {
    return style_.colour ? "\033[1m" + text + "\033[0m" : text;
  }
  std::string faint(const std::string& text) const {
    return style_.colour ? "\033[2m" + text + "\033[0m" : text;
  }
  std::string rule(std::size_t width) const {
    std::string text;
    for (std::size_t i = 0; i < width; ++i) text += style_.utf8 ? "─" : "-";
    return text;
  }

 private:
  const TableStyle& style_;
};

using Rows = std::vector<std::vector<std::string>>;

std::vector<std::string> names_of(const std::vector<const CellSummary*>& cells) {
  std::vector<const Spec*> models;
  for (const CellSummary* cell : cells) models.push_back(&cell->model);
  return series_names(models);
}

Rows rows_of(const Writer& write, const std::vector<const CellSummary*>& cells, int detail) {
  const bool intervals = detail >= 1;
  Rows rows{{"model", "cliff/s", "of ideal", "saturation/s", "of ideal", "at 1.5x", "CPU/req",
             "invalid"}};
  const std::vector<std::string> names = names_of(cells);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const CellSummary* const cell = cells[i];
    const CellResult& r = cell->result;
    std::vector<std::string> row = {names[i]};
    if (!cell->failure.empty()) {
      row.resize(rows.front().size(), write.dash());
      rows.push_back(std::move(row));
      continue;
    }
    std::string cliff = write.rate(r.cliff, intervals);
    if (r.cliff.reached == Reached::ok && r.cliff.limited_by == LimitedBy::saturation)
      cliff += " s";
    row.insert(
        row.end(),
        {cliff, write.share(cell->cliff_of_ideal, detail >= 2), write.rate(r.saturation, intervals),
         write.share(cell->saturation_of_ideal, detail >= 2),
         write.share(r.overload_retention, false),
         cell->cpu_ns_per_request > 0 ? short_time(cell->cpu_ns_per_request) : write.dash(),
         fmt::format("{}/{}", cell->invalid, cell->trials)});
    rows.push_back(std::move(row));
  }
  return rows;
}

void drop_column(Rows& rows, std::string_view header) {
  const auto found = std::find(rows.front().begin(), rows.front().end(), header);
  if (found == rows.front().end()) return;
  const auto column = found - rows.front().begin();
  for (auto& row : rows) row.erase(row.begin() + column);
}

std::vector<std::size_t> widths_of(const Rows& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  return widths;
}

std::size_t total(const std::vector<std::size_t>& widths) {
  std::size_t sum = 2 * (widths.size() - 1);
  for (const std::size_t width : widths) sum += width;
  return sum;
}

/// Columns that are read least go first, while the table is wider than `room` with names of at most
/// `name` columns.
bool narrowed(Rows& rows, std::size_t room, std::size_t name) {
  const auto fits = [&] {
    const std::vector<std::size_t> widths = widths_of(rows);
    return total(widths) - widths.front() + std::min(widths.front(), name) <= room;
  };
  for (const std::string_view header : {"CPU/req", "at 1.5x", "of ideal", "of ideal", "invalid"}) {
    if (fits()) return true;
    drop_column(rows, header);
  }
  return fits();
}

/// The last that a narrow terminal takes: middles of names, which keep eight columns at least.
void shorten_names(Rows& rows, const TableStyle& style) {
  const auto room = static_cast<std::size_t>(std::max(style.width, 1));
  const std::size_t names = widths_of(rows).front(), all = total(widths_of(rows));
  if (all <= room) return;
  const std::size_t left = std::max<std::size_t>(8, names - std::min(names, all - room));
  std::vector<std::string> fitted;
  for (const auto& row : rows) fitted.push_back(row.front());
  fitted = fitted_names(fitted, left, style);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].front() = fitted[i];
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

std::string notes_of(const std::vector<const CellSummary*>& cells) {
  std::string text;
  const std::vector<std::string> names = names_of(cells);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const CellSummary* const cell = cells[i];
    if (!cell->failure.empty())
      text += fmt::format("  {}: not measured: {}\n", names[i], shown_in_line(cell->failure));
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

std::string section(const Writer& write, const std::vector<const CellSummary*>& cells,
                    const TableStyle& style) {
  const CellSummary& any = *cells.front();
  std::string text = write.bold(label(any.workload));
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
  Rows rows = rows_of(write, cells, 2);
  if (total(widths_of(rows)) > room) {
    rows = rows_of(write, cells, 1);
    if (!narrowed(rows, room, kLongName)) {
      rows = rows_of(write, cells, 0);
      narrowed(rows, room, std::string::npos);
    }
  }
  shorten_names(rows, style);
  const std::vector<std::size_t> widths = widths_of(rows);
  for (std::size_t line = 0; line < rows.size(); ++line) {
    std::string out;
    for (std::size_t i = 0; i < rows[line].size(); ++i) {
      if (i > 0) out += "  ";
      out += padded(rows[line][i], widths[i], i == 0);
    }
    text += (line == 0 ? write.faint(out) : out) + '\n';
    if (line == 0) text += write.faint(write.rule(total(widths))) + '\n';
  }
  return text + folded(notes_of(cells), style);
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
  const Writer write(style);
  std::vector<std::string> workloads;
  for (const CellSummary& cell : result.cells) {
    const std::string name = cell.workload.to_string();
    if (std::find(workloads.begin(), workloads.end(), name) == workloads.end())
      workloads.push_back(name);
  }
  std::string text;
  bool saturated = false;
  for (const std::string& workload : workloads) {
    std::vector<const CellSummary*> cells;
    for (const CellSummary& cell : result.cells) {
      if (cell.workload.to_string() != workload) continue;
      cells.push_back(&cell);
      saturated |= cell.result.cliff.limited_by == LimitedBy::saturation &&
                   cell.result.cliff.reached == Reached::ok;
    }
    std::stable_sort(cells.begin(), cells.end(), [](const CellSummary* a, const CellSummary* b) {
      return order_value(*a) > order_value(*b);
    });
    text += section(write, cells, style) + '\n';
  }
  std::string below;
  if (saturated)
    below += "s: the cliff is where it stops being stable, before the SLO is broken.\n";
  below +=
      "at 1.5x: goodput at 1.5 times saturation, as a share of saturation. [low, high]: 95%.\n";
  if (result.blocks_done < 9) {
    below += fmt::format(
        "{} block{}: the rows are in the order that was measured; it takes 9 blocks to name a "
        "winner.\n",
        result.blocks_done, result.blocks_done == 1 ? "" : "s");
  }
  return text + folded(below, style);
}

}  // namespace precipice
