// Columns of text for the terminal: padded by what is seen, not by bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/table.hpp"

namespace precipice {

/// Columns that a UTF-8 text takes: every character used in tables takes one, an escape sequence
/// none.
std::size_t columns(std::string_view text);
/// A name in at most `width` columns, its middle left out: what tells series of one model apart is
/// at the end.
std::string shortened(const std::string& name, std::size_t width, const TableStyle& style);

/// A header, rows, and lines that run across all columns. The first column is on the left; the
/// others are on the right unless their header begins with '<', which is not shown, or '~'. The
/// first column and those of '~' hold names, and are shortened where the style's width asks for it.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header);
  /// As many fields as the header has.
  void row(std::vector<std::string> fields);
  /// A line of its own, which widens no column.
  void across(std::string text);
  std::size_t width() const;
  /// What it takes when names are as short as they get.
  std::size_t least_width() const;
  std::string text(const TableStyle& style) const;

 private:
  std::vector<std::size_t> widths() const;
  /// The rows with names in the given widths, and lines across in `room`.
  std::vector<std::vector<std::string>> with_fitted_names(const std::vector<std::size_t>& wide,
                                                          std::size_t room,
                                                          const TableStyle& style) const;

  std::vector<std::vector<std::string>> rows_;  ///< one field: across
  std::vector<bool> left_, names_;
};

std::string bold(const std::string& text, const TableStyle& style);
std::string faint(const std::string& text, const TableStyle& style);
/// Breaks at spaces so that no line is longer than the style's width; later lines begin with
/// `indent` spaces. Ends with a newline.
std::string wrapped(std::string_view text, const TableStyle& style, std::size_t indent = 0);

}  // namespace precipice
