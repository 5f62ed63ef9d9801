#include "harness/report/comparison_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "harness/compare/comparison_notes.hpp"
#include "harness/compare/pair_types.hpp"
#include "harness/format.hpp"
#include "harness/report/ranking_table.hpp"
#include "harness/report/series_names.hpp"
#include "harness/report/text_style.hpp"
#include "harness/report/text_table.hpp"
#include "harness/shown_text.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

std::string verdict_text(const Comparison& c, const TableStyle& style) {
  const std::string text = to_string(c.verdict);
  if (c.verdict == Difference::too_few_blocks) {
    const std::string order = c.order.empty()      ? "order unknown"
                              : c.order == "equal" ? c.order
                                                   : c.order + " ahead";
    return fmt::format("{}, {} block{}", order, c.blocks, c.blocks == 1 ? "" : "s");
  }
  const bool winner = c.verdict == Difference::a_higher || c.verdict == Difference::b_higher;
  return winner ? bold(text, style) : text;
}

std::string cell_label(const Spec& a, const Spec& b) {
  const std::string first = label(a), second = label(b);
  return first == second ? first : first + " | " + second;
}

/// By the cells' places; a cell of two different models is both of them in full.
std::vector<std::string> names_of(const std::vector<const ComparedCell*>& cells) {
  std::vector<const Spec*> models;
  for (const ComparedCell* cell : cells) models.push_back(&cell->model_a);
  std::vector<std::string> names = series_names(models);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (label(cells[i]->model_a) != label(cells[i]->model_b))
      names[i] = cell_label(cells[i]->model_a, cells[i]->model_b);
  }
  return names;
}

/// `detail`: 3 everything, 2 no intervals of rates, 1 no rates, 0 no intervals at all.
TextTable cells_table(const std::vector<const ComparedCell*>& cells, int detail,
                      const TableStyle& style) {
  TextTable table(detail >= 2
                      ? std::vector<std::string>{"model", "A per s", "B per s", "B / A", "<verdict"}
                      : std::vector<std::string>{"model", "B / A", "<verdict"});
  const std::vector<std::string> names = names_of(cells);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    table.across(names[i]);
    for (const Comparison& c : cells[i]->figures) {
      std::vector<std::string> row = {"  " + c.figure};
      if (detail >= 2) {
        row.push_back(figure_text(c.a, detail == 3, style));
        row.push_back(figure_text(c.b, detail == 3, style));
      }
      Comparison shown = c;
      if (detail == 0) shown.low = shown.high = kNaN;
      row.push_back(ratio_text(shown, style));
      row.push_back(verdict_text(c, style));
      table.row(std::move(row));
    }
  }
  return table;
}

std::string section(const std::vector<const ComparedCell*>& cells, const TableStyle& style) {
  int detail = 3;
  const auto room = static_cast<std::size_t>(std::max(style.width, 1));
  while (detail > 0 && cells_table(cells, detail, style).width() > room) --detail;
  const TextTable table = cells_table(cells, detail, style);
  std::string text = bold(cell_label(cells.front()->workload_a, cells.front()->workload_b), style) +
                     '\n' + table.text(style);
  // What is said of every cell is said once.
  std::map<std::string, std::size_t> times;
  for (const ComparedCell* cell : cells) {
    for (const std::string& note : notes_of(*cell)) ++times[note];
  }
  const std::vector<std::string> names = names_of(cells);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    for (const std::string& note : notes_of(*cells[i])) {
      const bool shared = cells.size() > 1 && times[note] == cells.size();
      if (shared && i > 0) continue;
      const std::string line = shown_in_line(note);
      text += wrapped(shared ? "  " + line : fmt::format("  {}: {}", names[i], line), style, 4);
    }
  }
  return text;
}

std::string blocks_text(int blocks) {
  return fmt::format("{} block{}", blocks, blocks == 1 ? "" : "s");
}

}  // namespace

std::string comparison_table(const RunComparison& comparison, const TableStyle& style) {
  const std::string name_a = shown_in_line(comparison.name_a),
                    name_b = shown_in_line(comparison.name_b);
  const std::size_t width = std::max(name_a.size(), name_b.size());
  std::string text = fmt::format("{}  {:{}}  {}\n{}  {:{}}  {}\n", bold("A", style), name_a, width,
                                 blocks_text(comparison.blocks_a), bold("B", style), name_b, width,
                                 blocks_text(comparison.blocks_b));
  for (const std::string& remark : comparison.remarks)
    text += wrapped(shown_in_line(remark), style);
  text += '\n';

  std::vector<std::pair<std::string, std::vector<const ComparedCell*>>> sections;
  for (const ComparedCell& cell : comparison.cells) {
    const std::string name = cell_label(cell.workload_a, cell.workload_b);
    const auto known = std::find_if(sections.begin(), sections.end(),
                                    [&](const auto& each) { return each.first == name; });
    auto& cells = known == sections.end() ? sections.emplace_back(name, 0).second : known->second;
    cells.push_back(&cell);
  }
  for (const auto& [name, cells] : sections) text += section(cells, style) + '\n';
  for (const auto& [side, names] :
       {std::pair{"A", &comparison.only_a}, std::pair{"B", &comparison.only_b}}) {
    if (names->empty()) continue;
    constexpr std::size_t kShown = 6;
    const std::vector<std::string> shown(
        names->begin(),
        names->begin() + static_cast<std::ptrdiff_t>(std::min(kShown, names->size())));
    text += wrapped(
        fmt::format("only in {}: {}{}", side, fmt::join(shown, "; "),
                    names->size() > kShown
                        ? fmt::format("; and {} more (--json lists them)", names->size() - kShown)
                        : ""),
        style, 2);
  }
  text += wrapped(
      "B / A: its interval holds at 95% for all comparisons of one workload and figure, by "
      "Holm's correction.",
      style);
  if (comparison.min_effect > 0) {
    text += wrapped(
        fmt::format("A difference matters from {} on: no relevant difference where the whole "
                    "interval is nearer to 1, undecided where it is on both sides of that.",
                    percent(comparison.min_effect)),
        style);
  } else {
    text += wrapped("Indistinguishable: the interval holds 1.", style);
  }
  if (std::min(comparison.blocks_a, comparison.blocks_b) < kLeastBlocks)
    text += wrapped("It takes 2 blocks in both runs to name a winner.", style);
  return text;
}

}  // namespace precipice
