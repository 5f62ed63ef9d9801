#include "harness/json_text.hpp"

#include <nlohmann/json.hpp>

namespace precipice {

std::string json_text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace precipice
