// The Date field's value (RFC 9110, section 5.6.7), formatted once a second on each thread.
#pragma once

#include <array>
#include <cstddef>
#include <ctime>
#include <string_view>

namespace precipice::http {

inline constexpr std::size_t kDateBytes = 29;

/// As in "Sun, 06 Nov 1994 08:49:37 GMT", for years of four digits.
std::array<char, kDateBytes> format_date(std::time_t at);

/// Now. Valid until the next call on this thread.
std::string_view http_date();

}  // namespace precipice::http
