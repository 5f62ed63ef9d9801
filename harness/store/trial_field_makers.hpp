// Rows of the table of a trial's fields from its members: JSON both ways and the text of a column,
// by the member's type. For trial_fields.cpp alone.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "harness/json.hpp"
#include "harness/stats/statistics.hpp"
#include "harness/store/json_fields.hpp"
#include "harness/store/trial_field.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

template <class T>
constexpr bool kIsOptional = false;
template <class T>
constexpr bool kIsOptional<std::optional<T>> = true;

inline Json json_of(double value) { return number(value); }
inline Json json_of(bool value) { return value; }
inline Json json_of(std::int64_t value) { return value; }
inline Json json_of(std::uint64_t value) { return value; }
inline Json json_of(Nanos value) { return value.count(); }
inline Json json_of(const std::string& value) { return value; }
inline Json json_of(const CpuSet& value) { return value.list(); }
template <class T>
Json json_of(const std::optional<T>& value) {
  return value ? json_of(*value) : Json(nullptr);
}
inline Json json_of(const Percentiles& p) {
  if (!p.known) {
    return {{"mean", nullptr}, {"p50", nullptr},  {"p90", nullptr}, {"p95", nullptr},
            {"p99", nullptr},  {"p999", nullptr}, {"max", nullptr}};
  }
  return {{"mean", number(p.mean)}, {"p50", p.p50},   {"p90", p.p90}, {"p95", p.p95},
          {"p99", p.p99},           {"p999", p.p999}, {"max", p.max}};
}

/// Null leaves what is there, but for doubles, where it is NaN.
inline void take_into(const Json& json, double& value) {
  value = json.is_null() ? kNaN : json.get<double>();
}
inline void take_into(const Json& json, bool& value) {
  if (!json.is_null()) value = json.get<bool>();
}
inline void take_into(const Json& json, std::string& value) {
  if (!json.is_null()) value = json.get<std::string>();
}
template <class T>
requires std::is_integral_v<T>
void take_into(const Json& json, T& value) {
  if (!json.is_null()) value = whole<T>(json);
}
inline void take_into(const Json& json, Nanos& value) {
  if (!json.is_null()) value = Nanos(whole<std::int64_t>(json));
}
inline void take_into(const Json& json, CpuSet& value) {
  std::vector<int> cpus;
  if (!json.is_null()) {
    for (const Json& cpu : json) cpus.push_back(whole<std::uint16_t>(cpu));
  }
  value = CpuSet(std::move(cpus));
}
template <class T>
void take_into(const Json& json, std::optional<T>& value) {
  value.reset();
  if (!json.is_null()) take_into(json, value.emplace());
}
inline void take_into(const Json& json, Percentiles& p) {
  read(json, "mean", p.mean);
  read(json, "p50", p.p50);
  read(json, "p90", p.p90);
  read(json, "p95", p.p95);
  read(json, "p99", p.p99);
  read(json, "p999", p.p999);
  read(json, "max", p.max);
  p.known = json.contains("max") && !json.at("max").is_null();
}

inline std::string text_of(double value) {
  return std::isfinite(value) ? fmt::format("{:.10g}", value) : "";
}
inline std::string text_of(bool value) { return value ? "true" : "false"; }
template <class T>
requires std::is_integral_v<T> std::string text_of(T value) { return std::to_string(value); }
template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? text_of(*value) : "";
}

/// `get` takes a Trial, const or not, and returns a reference to the member.
template <class Get>
TrialField field(const char* pointer, const char* unit, const char* meaning, Get get,
                 const char* column = nullptr) {
  TrialField made{
      .pointer = pointer,
      .unit = unit,
      .meaning = meaning,
      .value = [get](const Trial& trial) -> std::optional<Json> { return json_of(get(trial)); },
      .take = [get](const Json& json, Trial& trial) { take_into(json, get(trial)); }};
  using Value = std::remove_cvref_t<decltype(get(std::declval<Trial&>()))>;
  if constexpr (std::is_arithmetic_v<Value> || kIsOptional<Value>) {
    if (column != nullptr)
      made.columns.push_back({column, [get](const Trial& trial) { return text_of(get(trial)); }});
  } else if (column != nullptr) {
    throw std::logic_error(fmt::format("{} is no number that a column could hold", pointer));
  }
  return made;
}

/// Some of the percentiles as columns: {"p50_ns", &Percentiles::p50}.
template <class Get, class... Columns>
TrialField percentiles(const char* pointer, const char* meaning, Get get, Columns... columns) {
  TrialField made = field(pointer, "ns", meaning, get);
  [[maybe_unused]] const auto add = [&](const char* name, auto member) {
    made.columns.push_back({name, [get, member](const Trial& trial) {
                              const Percentiles& all = get(trial);
                              return all.known ? text_of(all.*member) : std::string();
                            }});
  };
  (add(columns.first, columns.second), ...);
  return made;
}

/// Left out of trials that have none, as of a backend where there is none.
template <class Get>
TrialField only_where_known(TrialField made, Get get) {
  made.value = [get](const Trial& trial) -> std::optional<Json> {
    if (!get(trial)) return std::nullopt;
    return json_of(*get(trial));
  };
  made.take = [get](const Json& json, Trial& trial) { take_into(json, get(trial).emplace()); };
  return made;
}

/// A member of an optional group: left out of trials that do not have the group.
template <class Group, class Value>
TrialField grouped(std::string_view group, std::string_view name, const char* unit,
                   const char* meaning, std::optional<Group> Trial::*of, Value Group::*member) {
  // Pointers are kept as they are, for the life of the program.
  static std::deque<std::string> pointers;
  const std::string& pointer = pointers.emplace_back(fmt::format("/{}/{}", group, name));
  return {.pointer = pointer.c_str(),
          .unit = unit,
          .meaning = meaning,
          .value = [of, member](const Trial& t) -> std::optional<Json> {
            if (!(t.*of)) return std::nullopt;
            return json_of((*(t.*of)).*member);
          },
          .take =
              [of, member](const Json& json, Trial& t) {
                if (!(t.*of)) (t.*of).emplace();
                take_into(json, (*(t.*of)).*member);
              }};
}
/// What is no plain member.
inline TrialField special(const char* pointer, const char* unit, const char* meaning,
                          std::function<Json(const Trial&)> value,
                          std::function<void(const Json&, Trial&)> take,
                          std::vector<TrialColumn> columns = {}) {
  return {.pointer = pointer,
          .unit = unit,
          .meaning = meaning,
          .value = [value = std::move(value)](const Trial& trial) -> std::optional<Json> {
            return value(trial);
          },
          .take = std::move(take),
          .columns = std::move(columns)};
}

}  // namespace precipice
