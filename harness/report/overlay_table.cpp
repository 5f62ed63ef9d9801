#include "harness/report/overlay_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/compare/pair_types.hpp"
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

std::string letter(std::size_t run) {
  return run < 26 ? std::string(1, static_cast<char>('A' + run)) : fmt::format("#{}", run + 1);
}

/// A sign and not a colour alone: it has to survive a pipe and a printer.
std::string marked(const Comparison& c, bool interval, const TableStyle& style) {
  const Change change = change_of(c);
  if (change == Change::missing) return dash(style);
  std::string text = std::isfinite(c.ratio) ? fmt::format("{:.3g}", c.ratio) : std::string("bound");
  if (interval && std::isfinite(c.low) && std::isfinite(c.high))
    text += fmt::format(" [{:.3g}, {:.3g}]", c.low, c.high);
  switch (change) {
    case Change::higher:
      return bold(text + (style.utf8 ? " ▲" : " UP"), style);
    case Change::lower:
      return bold(text + (style.utf8 ? " ▼" : " DOWN"), style);
    case Change::unclear:
      return text + " ?";
    default:
      return text + " =";
  }
}

std::string base_text(const Estimate& e) {
  if (e.reached == Reached::unmeasured || !std::isfinite(e.value)) return "-";
  return fmt::format("{}{}", bound_mark(e), short_rate(e.value));
}

const ComparedCell* cell_of(const RunComparison& comparison, const CellSummary& base) {
  for (const ComparedCell& cell : comparison.cells) {
    if (cell.model_a.to_string() == base.model.to_string() &&
        cell.workload_a.to_string() == base.workload.to_string())
      return &cell;
  }
  return nullptr;
}

/// The base beside comparisons [from, to).
TextTable table_of(const Overlay& overlay, const std::vector<const CellSummary*>& cells,
                   std::size_t from, std::size_t to, bool intervals, const TableStyle& style) {
  std::vector<std::string> header = {"model", "<", "A per s"};
  for (std::size_t i = from; i < to; ++i) header.push_back(fmt::format("<{} / A", letter(i + 1)));
  TextTable table(header);
  std::vector<const Spec*> models;
  for (const CellSummary* base : cells) models.push_back(&base->model);
  const std::vector<std::string> names = series_names(models);
  for (std::size_t cell_at = 0; cell_at < cells.size(); ++cell_at) {
    const CellSummary* const base = cells[cell_at];
    for (std::size_t figure = 0; figure < 2; ++figure) {
      const Estimate& own = figure == 0 ? base->result.cliff : base->result.saturation;
      std::vector<std::string> row = {figure == 0 ? names[cell_at] : "",
                                      figure == 0 ? "cliff" : "saturation", base_text(own)};
      for (std::size_t i = from; i < to; ++i) {
        const ComparedCell* cell = cell_of(overlay.comparisons[i], *base);
        row.push_back(cell == nullptr || figure >= cell->figures.size()
                          ? std::string("-")
                          : marked(cell->figures[figure], intervals, style));
      }
      table.row(std::move(row));
    }
  }
  return table;
}

/// Intervals give way first; then runs go on in a further table.
std::string tables_of(const Overlay& overlay, const std::vector<const CellSummary*>& cells,
                      const TableStyle& style) {
  const auto room = static_cast<std::size_t>(std::max(style.width, 1));
  const std::size_t runs = overlay.comparisons.size();
  if (const TextTable whole = table_of(overlay, cells, 0, runs, true, style); whole.width() <= room)
    return whole.text(style);
  std::string text;
  for (std::size_t from = 0; from < runs;) {
    std::size_t to = runs;
    while (to > from + 1 && table_of(overlay, cells, from, to, false, style).least_width() > room)
      --to;
    text += table_of(overlay, cells, from, to, false, style).text(style);
    from = to;
  }
  return text;
}

std::string unmatched(const char* what, const std::string& run,
                      const std::vector<std::string>& cells, const TableStyle& style) {
  if (cells.empty()) return "";
  constexpr std::size_t kShown = 4;
  std::string text = fmt::format("{} {}: ", what, run);
  for (std::size_t i = 0; i < std::min(kShown, cells.size()); ++i)
    text += (i > 0 ? "; " : "") + cells[i];
  if (cells.size() > kShown)
    text += fmt::format("; and {} more (--json lists them)", cells.size() - kShown);
  return wrapped(text, style, 2);
}

}  // namespace

std::string overlay_table(const Overlay& overlay, const TableStyle& style) {
  std::string text = fmt::format("{}  {}  the base\n", bold("A", style), overlay.base.name);
  for (std::size_t i = 0; i < overlay.comparisons.size(); ++i)
    text += fmt::format("{}  {}\n", bold(letter(i + 1), style),
                        shown_in_line(overlay.comparisons[i].name_b));
  for (std::size_t i = 0; i < overlay.comparisons.size(); ++i) {
    for (const std::string& remark : overlay.comparisons[i].remarks)
      text += wrapped(fmt::format("A and {}: {}", letter(i + 1), shown_in_line(remark)), style, 2);
  }
  text += '\n';
  std::vector<std::string> workloads;
  for (const CellSummary& cell : overlay.base.result->cells) {
    const std::string name = cell.workload.to_string();
    if (std::find(workloads.begin(), workloads.end(), name) == workloads.end())
      workloads.push_back(name);
  }
  for (const std::string& workload : workloads) {
    std::vector<const CellSummary*> cells;
    for (const CellSummary& cell : overlay.base.result->cells) {
      if (cell.workload.to_string() == workload) cells.push_back(&cell);
    }
    text += bold(label(cells.front()->workload), style) + '\n' + tables_of(overlay, cells, style) +
            '\n';
  }
  for (std::size_t i = 0; i < overlay.comparisons.size(); ++i) {
    const RunComparison& comparison = overlay.comparisons[i];
    text += unmatched("not in", letter(i + 1), comparison.only_a, style);
    text += unmatched("only in", letter(i + 1), comparison.only_b, style);
  }
  text += wrapped(
      fmt::format(
          "{} higher and {} lower than A beyond noise; = not beyond noise, ? cannot be told "
          "yet. Intervals of all runs hold together at 95% for one workload and figure: Holm's "
          "correction within a run, the error shared among {} runs.",
          style.utf8 ? "▲" : "UP", style.utf8 ? "▼" : "DOWN", overlay.comparisons.size()),
      style);
  const bool few = std::any_of(overlay.comparisons.begin(), overlay.comparisons.end(),
                               [](const RunComparison& each) {
                                 return std::min(each.blocks_a, each.blocks_b) < kLeastBlocks;
                               });
  if (few) text += wrapped("It takes 2 blocks in both runs to name a change.", style);
  return text;
}

std::string changes_sentence(const ChangeCounts& counts) {
  std::string text;
  const auto add = [&](int count, const char* what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  };
  add(counts.higher, "higher beyond noise");
  add(counts.lower, "lower beyond noise");
  add(counts.unclear, "unclear");
  add(counts.missing, "missing");
  add(counts.none, "unchanged");
  return "changes: " + (text.empty() ? "none" : text);
}

}  // namespace precipice
