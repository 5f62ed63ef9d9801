#include "harness/text_encoding.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace precipice {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// Bytes of the character that `text` begins with, and which one it is; 0 when it is no UTF-8.
std::size_t first_character(std::string_view text, std::uint32_t& code) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) {
    code = byte(0);
    return 1;
  }
  const std::size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : byte(0) >= 0xc2 ? 2 : 0;
  if (length == 0 || byte(0) > 0xf4 || text.size() < length) return 0;
  code = byte(0) & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < kLeast[length] || code > 0x10ffff || surrogate ? 0 : length;
}

}  // namespace

std::string_view without_byte_order_mark(std::string_view text) {
  return text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text;
}

std::string other_encoding(std::string_view beginning) {
  constexpr const char* kCure = "save it as UTF-8";
  const std::string_view mark = beginning.substr(0, 2);
  if (mark == "\xff\xfe" || mark == "\xfe\xff")
    return fmt::format("is UTF-16 (by its byte order mark): {}", kCure);
  if (beginning.find('\0') != std::string_view::npos)
    return fmt::format("holds zero bytes: UTF-16, or no text? {}", kCure);
  return "";
}

std::size_t first_not_utf8(std::string_view text) {
  std::uint32_t code = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = first_character(text.substr(at), code);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

std::string printable_ascii(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  std::string shown;
  while (!text.empty()) {
    if (shown.size() >= kLongest) return shown + "...";
    std::uint32_t code = 0;
    const std::size_t length = first_character(text, code);
    if (length == 0) {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else if (code >= 0x20 && code < 0x7f) {
      shown += static_cast<char>(code);
    } else {
      shown += fmt::format("\\u{:04x}", code);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return shown;
}

}  // namespace precipice
