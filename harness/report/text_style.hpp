// How text is laid out for the terminal that shows it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace precipice {

struct TableStyle {
  int width = 100;      ///< columns of the terminal; narrower tables drop intervals first
  bool colour = false;  ///< escape sequences
  bool utf8 = true;     ///< otherwise ASCII only
};

/// Columns that a UTF-8 text takes: every character used in tables takes one, an escape sequence
/// none.
std::size_t columns(std::string_view text);

/// A name in at most `width` columns, its middle left out: what tells series of one model apart is
/// at the end.
std::string shortened(const std::string& name, std::size_t width, const TableStyle& style);

std::string bold(const std::string& text, const TableStyle& style);

std::string faint(const std::string& text, const TableStyle& style);

/// Breaks at spaces so that no line is longer than the style's width; later lines begin with
/// `indent` spaces. Ends with a newline.
std::string wrapped(std::string_view text, const TableStyle& style, std::size_t indent = 0);

}  // namespace precipice
