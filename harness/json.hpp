// JSON as every room uses it: its type, numbers that may be missing, values at a path, its text.
#pragma once

#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace precipice {

/// Keys keep the order in which they are written here, so that a line can be read by eye.
using Json = nlohmann::ordered_json;

/// The version of every document and journal line written by this program.
inline constexpr int kSchema = 1;

/// NaN and infinity as null, since JSON has neither.
Json number(double value);

/// The value at a path of keys, or null.
Json at(const Json& json, std::initializer_list<const char*> keys);
/// The number there, or NaN, which compares false with everything.
double number_at(const Json& json, std::initializer_list<const char*> keys);
/// The text there, or "".
std::string text_at(const Json& json, std::initializer_list<const char*> keys);

/// The value at a JSON pointer as text, as "/cpu/model"; `otherwise` where the document has nothing
/// or null there, or is no document.
std::string text_at_pointer(const Json* document, const std::string& pointer,
                            const std::string& otherwise = "");

/// The document as UTF-8, on one line where `indent` is negative. Bytes that are no UTF-8, as a
/// file name or an argument may hold, become U+FFFD: what was measured is kept whatever it is
/// called.
std::string json_text(const Json& json, int indent = -1);

}  // namespace precipice
