#include "harness/report/text_style.hpp"

#include <algorithm>
#include <sstream>
#include <vector>

namespace precipice {

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\033') {
      while (i < text.size() && text[i] != 'm') ++i;
    } else if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) {
      ++count;
    }
  }
  return count;
}

std::string shortened(const std::string& name, std::size_t width, const TableStyle& style) {
  if (columns(name) <= width) return name;
  if (width == 0) return "";
  const std::size_t head = (width - 1) / 2, tail = width - 1 - head;
  // Where characters begin: bytes of one are not torn apart.
  std::vector<std::size_t> begins;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if ((static_cast<unsigned char>(name[i]) & 0xc0) != 0x80) begins.push_back(i);
  }
  begins.push_back(name.size());
  return name.substr(0, begins[head]) + (style.utf8 ? "…" : "~") +
         name.substr(begins[begins.size() - 1 - tail]);
}

std::string bold(const std::string& text, const TableStyle& style) {
  return style.colour ? "\033[1m" + text + "\033[0m" : text;
}

std::string faint(const std::string& text, const TableStyle& style) {
  return style.colour ? "\033[2m" + text + "\033[0m" : text;
}

std::string wrapped(std::string_view text, const TableStyle& style, std::size_t indent) {
  const auto width = static_cast<std::size_t>(std::max(style.width, 20));
  std::istringstream words{std::string(text)};
  std::string out, line(text.substr(0, std::min(text.find_first_not_of(' '), text.size()))), word;
  bool fresh = true;
  while (words >> word) {
    if (!fresh && columns(line) + 1 + columns(word) > width) {
      out += line + '\n';
      line.assign(indent, ' ');
      fresh = true;
    }
    line += (fresh ? "" : " ") + word;
    fresh = false;
  }
  return out + line + '\n';
}

}  // namespace precipice
