// What a text file is written in, where that is not what this program reads: UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace precipice {

/// Without the three bytes that some editors put before UTF-8.
std::string_view without_byte_order_mark(std::string_view text);

/// "is UTF-16 (...): save it as UTF-8" for the beginning of a text in UTF-16 or UTF-32, with or
/// without a byte order mark, and for what holds zero bytes otherwise; "" for all else.
std::string other_encoding(std::string_view beginning);

/// The offset of the first byte that is no UTF-8; npos when all of it is.
std::size_t first_not_utf8(std::string_view text);

/// For messages about a short text whose very bytes matter: everything but printable ASCII as
/// \ufeff or, where it is no UTF-8, as \xff. Cut after some forty characters.
std::string printable_ascii(std::string_view text);

}  // namespace precipice
