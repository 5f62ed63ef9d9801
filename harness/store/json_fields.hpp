// Reading the fields of a document that may be from an earlier version, or from a stranger.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "harness/json.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {

/// A whole number as it stands: the library would wrap or cut one that does not fit.
template <class T>
T whole(const Json& json) {
  if (json.is_number_unsigned() && std::in_range<T>(json.get<std::uint64_t>()))
    return json.get<T>();
  if (json.is_number_integer() && !json.is_number_unsigned() &&
      std::in_range<T>(json.get<std::int64_t>()))
    return json.get<T>();
  throw std::runtime_error("a count is not a whole number that fits");
}
template <class T>
T whole_text(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::runtime_error(fmt::format("'{}' is not a whole number that fits", text));
  return value;
}

/// Reads a field when it is there; null is NaN for doubles.
template <class T>
void read(const Json& json, const char* key, T& into) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return;
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    into = whole<T>(*found);
  } else {
    into = found->get<T>();
  }
}
/// Null is NaN.
inline void read(const Json& json, const char* key, double& into) {
  const auto found = json.find(key);
  if (found != json.end()) into = found->is_null() ? kNaN : found->get<double>();
}
/// Null and an absent field are nullopt.
template <class T>
void read(const Json& json, const char* key, std::optional<T>& into) {
  const auto found = json.find(key);
  into =
      found == json.end() || found->is_null() ? std::nullopt : std::optional<T>(whole<T>(*found));
}

/// The object at `key`; an empty one where there is none.
inline const Json& child(const Json& json, const char* key) {
  static const Json empty = Json::object();
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? empty : *found;
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace precipice
