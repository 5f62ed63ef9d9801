// Tables of a TOML file whose keys are known beforehand, read with errors that name file, line and
// key. Only the reader of suites includes it, as toml++ compiles slowly.
#pragma once

#include <fmt/format.h>
#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "models/options.hpp"
#include "models/request.hpp"

namespace precipice {

/// Where in which file; makes the errors.
class Place {
 public:
  explicit Place(std::string_view file) : file_(file) {}
  std::string_view file() const { return file_; }

  UsageError error(const toml::source_region& where, std::string_view key,
                   std::string_view message) const {
    return UsageError(fmt::format("{}:{}: {}: {}", file_, where.begin.line, key, message));
  }
  UsageError error(std::string_view message) const {
    return UsageError(fmt::format("{}: {}", file_, message));
  }
  /// Runs `body` and puts file, line and key before what it complains of.
  template <class Body>
  auto at(const toml::source_region& where, std::string_view key, Body body) const {
    try {
      return body();
    } catch (const UsageError& complaint) {
      throw error(where, key, complaint.what());
    }
  }

 private:
  std::string_view file_;
};

/// What a node is, as a word.
std::string kind_of(const toml::node& node);

/// A table whose keys are all known beforehand.
class Section {
 public:
  /// Throws on a key that is not among `known`.
  Section(const Place& place, std::string name, const toml::table& table,
          const std::vector<std::string>& known);

  const toml::node* find(std::string_view key) const { return table_.get(key); }
  std::string path(std::string_view key) const {
    return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
  }

  template <class Use>
  void text(std::string_view key, Use use) const {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    if (!value) {
      throw place_.error(node->source(), path(key),
                         fmt::format("is {}, and should be a text in quotes", kind_of(*node)));
    }
    place_.at(node->source(), path(key), [&] { use(*value); });
  }
  void duration(std::string_view key, Nanos low, Nanos high, Nanos& into) const;
  template <class Integer>
  void integer(std::string_view key, std::int64_t low, std::int64_t high, Integer& into) const {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < low || *value > high) {
      throw place_.error(node->source(), path(key),
                         fmt::format("should be a whole number from {} to {}", low, high));
    }
    into = static_cast<Integer>(*value);
  }
  void flag(std::string_view key, bool& into) const;
  /// A number in [0, 1).
  void share(std::string_view key, double& into) const;
  /// Numbers, each in (low, high]. The last two are for messages.
  void factors(std::string_view key, double low, double high, bool may_be_empty,
               std::vector<double>& into, std::string_view each = "factor",
               std::string_view example = "[0.9, 1]") const;

 private:
  const Place& place_;
  std::string name_;
  const toml::table& table_;
};

/// A text, a number or true/false as the text that a Spec holds.
std::string scalar_text(const Place& place, std::string_view key, const toml::node& node);

/// The elements of an array of tables, each with its index in the message when it is none.
void each_table(const Place& place, const toml::table& root, std::string_view name,
                const std::function<void(const toml::table&)>& use);

/// nullptr where the file has no such table.
const toml::table* table_of(const Place& place, const toml::table& root, std::string_view name);

}  // namespace precipice
