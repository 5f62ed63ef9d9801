// Columns of text for the terminal: padded by what is seen, not by bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/report/text_style.hpp"

namespace precipice {

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
  /// Leaves out the first column of this header, if there is one.
  void drop(std::string_view header);
  /// Cuts the names of the first column, down to `shortest` columns, until the style's width holds
  /// the table or nothing is left to cut.
  void shorten_names(const TableStyle& style, std::size_t shortest);
  std::size_t width() const;
  static constexpr std::size_t kShortestName = 12;
  /// What it takes when names take at most `name` columns.
  std::size_t least_width(std::size_t name = kShortestName) const;
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

}  // namespace precipice
