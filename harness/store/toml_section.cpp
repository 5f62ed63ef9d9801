#include "harness/store/toml_section.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include "harness/trial/spec.hpp"
#include "models/did_you_mean.hpp"

namespace precipice {
namespace {

constexpr std::size_t kMostFactors = 50;

}  // namespace

std::string kind_of(const toml::node& node) {
  std::ostringstream text;
  text << node.type();
  return text.str();
}

Section::Section(const Place& place, std::string name, const toml::table& table,
                 const std::vector<std::string>& known)
    : place_(place), name_(std::move(name)), table_(table) {
  for (const auto& [key, value] : table) {
    const std::string text(key.str());
    if (std::find(known.begin(), known.end(), text) != known.end()) continue;
    throw place_.error(key.source(), path(text),
                       fmt::format("there is no such key{} (keys: {})", did_you_mean(text, known),
                                   fmt::join(known, ", ")));
  }
}

void Section::duration(std::string_view key, Nanos low, Nanos high, Nanos& into) const {
  text(key, [&](const std::string& value) {
    const Nanos duration = parse_duration(value, "duration");
    if (duration < low || duration > high) {
      throw UsageError(fmt::format("{} is outside {} to {}", value, format_duration(low),
                                   format_duration(high)));
    }
    into = duration;
  });
}

void Section::flag(std::string_view key, bool& into) const {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto value = node->value_exact<bool>();
  if (!value) throw place_.error(node->source(), path(key), "should be true or false");
  into = *value;
}

void Section::share(std::string_view key, double& into) const {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto value = node->value<double>();
  if (!value || !(*value >= 0 && *value < 1))
    throw place_.error(node->source(), path(key), "should be a number from 0 to below 1");
  into = *value;
}

void Section::factors(std::string_view key, double low, double high, bool may_be_empty,
                      std::vector<double>& into, std::string_view each,
                      std::string_view example) const {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) {
    throw place_.error(node->source(), path(key),
                       fmt::format("should be a list of numbers, as in {}", example));
  }
  if (list->empty() && !may_be_empty) {
    throw place_.error(node->source(), path(key),
                       "is empty, so no cliff could be found: give at least one factor");
  }
  if (list->size() > kMostFactors)
    throw place_.error(
        node->source(), path(key),
        fmt::format("has {} {}s; give at most {}", list->size(), each, kMostFactors));
  std::vector<double> values;
  for (const toml::node& element : *list) {
    const auto value = element.value<double>();
    if (!value || !std::isfinite(*value) || *value <= low || *value > high) {
      throw place_.error(
          element.source(), path(key),
          fmt::format("each {} is a number above {} and at most {}", each, low, high));
    }
    values.push_back(*value);
  }
  into = std::move(values);
}

std::string scalar_text(const Place& place, std::string_view key, const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto number = node.value_exact<double>()) return fmt::format("{}", *number);
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  throw place.error(node.source(), key,
                    fmt::format("is {}, and should be a text, a number or true/false, or a list of "
                                "them",
                                kind_of(node)));
}

void each_table(const Place& place, const toml::table& root, std::string_view name,
                const std::function<void(const toml::table&)>& use) {
  const toml::node* node = root.get(name);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) {
    throw place.error(node->source(), name, fmt::format("write [[{}]], with two brackets", name));
  }
  for (const toml::node& element : *list) {
    const toml::table* table = element.as_table();
    if (table == nullptr)
      throw place.error(element.source(), name, fmt::format("write it as [[{}]]", name));
    use(*table);
  }
}

const toml::table* table_of(const Place& place, const toml::table& root, std::string_view name) {
  const toml::node* node = root.get(name);
  if (node == nullptr) return nullptr;
  if (node->as_table() == nullptr)
    throw place.error(node->source(), name, fmt::format("should be a table, [{}]", name));
  return node->as_table();
}

}  // namespace precipice
