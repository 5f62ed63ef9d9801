#include "harness/report/text_table.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include "harness/report/series_names.hpp"
#include "harness/report/text_style.hpp"

namespace precipice {

TextTable::TextTable(std::vector<std::string> header) {
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool name = header[i].starts_with('~');
    const bool marked = name || header[i].starts_with('<');
    left_.push_back(i == 0 || marked);
    names_.push_back(i == 0 || name);
    if (marked) header[i].erase(0, 1);
  }
  rows_.push_back(std::move(header));
}

void TextTable::row(std::vector<std::string> fields) { rows_.push_back(std::move(fields)); }

void TextTable::across(std::string text) { rows_.push_back({std::move(text)}); }

void TextTable::drop(std::string_view header) {
  const auto found = std::find(rows_.front().begin(), rows_.front().end(), header);
  if (found == rows_.front().end()) return;
  const auto column = found - rows_.front().begin();
  for (auto& row : rows_) {
    if (row.size() == left_.size()) row.erase(row.begin() + column);
  }
  left_.erase(left_.begin() + column);
  names_.erase(names_.begin() + column);
}

void TextTable::shorten_names(const TableStyle& style, std::size_t shortest) {
  const auto room = static_cast<std::size_t>(std::max(style.width, 1));
  std::vector<std::size_t> wide = widths();
  const std::size_t all = width();
  if (all <= room) return;
  wide.front() = std::max(shortest, wide.front() - std::min(wide.front(), all - room));
  rows_ = with_fitted_names(wide, room, style);
}

std::vector<std::size_t> TextTable::widths() const {
  std::vector<std::size_t> result(left_.size());
  for (const auto& row : rows_) {
    if (row.size() < left_.size()) continue;
    for (std::size_t i = 0; i < row.size(); ++i) result[i] = std::max(result[i], columns(row[i]));
  }
  return result;
}

std::size_t TextTable::width() const {
  std::size_t sum = 2 * (left_.size() - 1);
  for (const std::size_t each : widths()) sum += each;
  return sum;
}

std::size_t TextTable::least_width(std::size_t name) const {
  const std::vector<std::size_t> wide = widths();
  std::size_t sum = width();
  for (std::size_t i = 0; i < wide.size(); ++i) {
    if (names_[i]) sum -= wide[i] - std::min(wide[i], name);
  }
  return sum;
}

std::vector<std::vector<std::string>> TextTable::with_fitted_names(
    const std::vector<std::size_t>& wide, std::size_t room, const TableStyle& style) const {
  std::vector<std::vector<std::string>> rows = rows_;
  const auto fit = [&](std::size_t column, bool across, std::size_t width) {
    std::vector<std::string*> fields;
    std::vector<std::string> names;
    for (auto& row : rows) {
      if (column >= row.size() || (row.size() < left_.size()) != across) continue;
      fields.push_back(&row[column]);
      names.push_back(row[column]);
    }
    names = fitted_names(names, width, style);
    for (std::size_t i = 0; i < fields.size(); ++i) *fields[i] = names[i];
  };
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i]) fit(i, false, wide[i]);
  }
  if (left_.size() > 1) fit(0, true, room);
  return rows;
}

std::string TextTable::text(const TableStyle& style) const {
  std::vector<std::size_t> wide = widths();
  const auto room = static_cast<std::size_t>(std::max(style.width, 1));
  std::size_t all = width();
  for (std::size_t i = 0; i < wide.size() && all > room; ++i) {
    if (!names_[i] || wide[i] <= kShortestName) continue;
    const std::size_t less = std::min(wide[i] - kShortestName, all - room);
    wide[i] -= less;
    all -= less;
  }
  const std::vector<std::vector<std::string>> rows = with_fitted_names(wide, room, style);
  std::string text;
  for (std::size_t line = 0; line < rows.size(); ++line) {
    const auto& row = rows[line];
    std::string out;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += "  ";
      const bool across = row.size() == 1 && left_.size() > 1;
      const std::string& field = row[i];
      const std::size_t used = columns(field);
      const std::string space(across || used > wide[i] ? 0 : wide[i] - used, ' ');
      out += left_[i] ? field + space : space + field;
    }
    out.erase(out.find_last_not_of(' ') + 1);
    text += (line == 0 ? faint(out, style) : out) + '\n';
    if (line > 0) continue;
    std::string rule;
    for (std::size_t i = 0; i < all; ++i) rule += style.utf8 ? "─" : "-";
    text += faint(rule, style) + '\n';
  }
  return text;
}

}  // namespace precipice
