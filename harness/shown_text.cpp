#include "harness/shown_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace precipice {
namespace {

/// One character of UTF-8, or one byte that is none.
struct Character {
  std::size_t bytes = 1;
  char32_t code = 0;
  bool valid = false;
};

Character character_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return {1, first, true};
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + bytes > text.size()) return {};
  char32_t code = first & (0xff >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(at + i) & 0x3f);
  }
  // Overlong forms, surrogates and what is beyond Unicode are no characters.
  const bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  if (overlong || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff) return {};
  return {bytes, code, true};
}

/// Acts on a terminal, or on the order in which other characters are seen.
bool acts(char32_t code) {
  constexpr std::array<std::pair<char32_t, char32_t>, 11> kRanges{{{0x00, 0x1f},
                                                                   {0x7f, 0x9f},
                                                                   {0xad, 0xad},
                                                                   {0x61c, 0x61c},
                                                                   {0x180e, 0x180e},
                                                                   {0x200b, 0x200f},
                                                                   {0x2028, 0x202e},
                                                                   {0x2060, 0x206f},
                                                                   {0xfeff, 0xfeff},
                                                                   {0xfff9, 0xfffb},
                                                                   {0xe0000, 0xe007f}}};
  return std::any_of(kRanges.begin(), kRanges.end(), [&](const auto& range) {
    return code >= range.first && code <= range.second;
  });
}

/// The length of a sequence that sets the colour or weight of what follows; 0 where there is none.
std::size_t colour_at(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "\033[") return 0;
  const std::size_t end = text.find_first_not_of("0123456789;", at + 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 - at : 0;
}

std::string escaped(std::string_view text, bool lines, bool colours) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t colour = colours ? colour_at(text, at) : 0; colour > 0) {
      out += text.substr(at, colour);
      at += colour;
      continue;
    }
    const Character c = character_at(text, at);
    if (!c.valid) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
    } else if (c.code == '\n' || c.code == '\t') {
      out += lines ? text[at] : ' ';
    } else if (!acts(c.code)) {
      out += text.substr(at, c.bytes);
    } else {
      const auto code = static_cast<std::uint32_t>(c.code);
      out += code < 0x80      ? fmt::format("\\x{:02x}", code)
             : code < 0x10000 ? fmt::format("\\u{:04x}", code)
                              : fmt::format("\\U{:08x}", code);
    }
    at += c.bytes;
  }
  return out;
}

/// Special nowhere in a word of any of the shells, but for what may not begin it.
bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
}

}  // namespace

std::string shown(std::string_view text, bool colours) { return escaped(text, true, colours); }

std::string shown_in_line(std::string_view text) { return escaped(text, false, false); }

std::string shell_quoted(std::string_view word) {
  // zsh expands a leading '=' to the path of a command.
  if (!word.empty() && word.front() != '=' && std::all_of(word.begin(), word.end(), plain))
    return std::string(word);
  if (shown_in_line(word) == word) {
    std::string quoted = "'";
    for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
  }
  std::string quoted = "$'";
  for (std::size_t at = 0; at < word.size();) {
    const Character c = character_at(word, at);
    for (const char byte : word.substr(at, c.bytes)) {
      if (!c.valid || acts(c.code))
        quoted += fmt::format("\\{:03o}", static_cast<unsigned char>(byte));
      else if (byte == '\'' || byte == '\\')
        quoted += {'\\', byte};
      else
        quoted += byte;
    }
    at += c.bytes;
  }
  return quoted + "'";
}

std::string shell_quoted_path(std::string_view path) {
  return shell_quoted(path.starts_with('-') ? "./" + std::string(path) : std::string(path));
}

}  // namespace precipice
