#include "harness/json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace precipice {

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json at(const Json& json, std::initializer_list<const char*> keys) {
  const Json* here = &json;
  for (const char* key : keys) {
    if (!here->is_object()) return nullptr;
    const auto found = here->find(key);
    if (found == here->end()) return nullptr;
    here = &*found;
  }
  return *here;
}

double number_at(const Json& json, std::initializer_list<const char*> keys) {
  const Json value = at(json, keys);
  return value.is_number() ? value.get<double>() : std::nan("");
}

std::string text_at(const Json& json, std::initializer_list<const char*> keys) {
  const Json value = at(json, keys);
  return value.is_string() ? value.get<std::string>() : "";
}

std::string text_at_pointer(const Json* document, const std::string& pointer,
                            const std::string& otherwise) {
  const Json::json_pointer place(pointer);
  if (document == nullptr || !document->contains(place)) return otherwise;
  const Json& value = (*document)[place];
  if (value.is_null()) return otherwise;
  return value.is_string() ? value.get<std::string>() : json_text(value);
}

namespace {

/// Puts arrays that hold nothing but numbers and nulls on one line each, in an indented text.
std::string with_short_arrays(const std::string& text) {
  std::string result;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') result += text[i++];
    if (!quoted && c == '[') {
      const std::size_t end = text.find_first_not_of("0123456789+-.eE, \nnul", i + 1);
      if (end != std::string::npos && text[end] == ']') {
        bool space = false;
        for (; i < end; ++i) {
          const bool blank = text[i] == ' ' || text[i] == '\n';
          if (blank && !space && result.back() != '[') result += ' ';
          space = blank;
          if (!blank) result += text[i];
        }
        if (result.back() == ' ') result.pop_back();
      }
    }
    result += text[i];
  }
  return result;
}

}  // namespace

std::string json_text(const Json& json, int indent) {
  const std::string text = json.dump(indent, ' ', false, Json::error_handler_t::replace);
  return indent < 0 ? text : with_short_arrays(text);
}

}  // namespace precipice
