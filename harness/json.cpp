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

std::string json_text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace precipice
