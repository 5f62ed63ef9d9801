// Texts as they stand in a TOML file.
#pragma once

#include <string>
#include <string_view>

namespace precipice {

/// In quotes, with the escapes that TOML wants. `text` is UTF-8.
std::string in_quotes(std::string_view text);

}  // namespace precipice
