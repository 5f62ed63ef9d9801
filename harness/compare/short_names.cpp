#include "harness/compare/short_names.hpp"

#include <algorithm>
#include <cstddef>
#include <map>

#include "harness/trial/spec.hpp"

namespace precipice {

std::vector<std::string> series_names(const std::vector<const Spec*>& rows) {
  std::map<std::string, std::vector<const Spec*>> by_model;
  for (const Spec* row : rows) by_model[row->name].push_back(row);
  const auto differs = [&](const Spec& row, const std::string& key) {
    const auto& alike = by_model[row.name];
    return std::any_of(alike.begin(), alike.end(), [&](const Spec* other) {
      const auto found = other->given.find(key);
      return found == other->given.end() || found->second != row.given.at(key);
    });
  };
  std::vector<std::string> names;
  std::map<std::string, int> times;
  for (const Spec* row : rows) {
    Spec left{row->name, {}, row->policy};
    for (const auto& [key, value] : row->given) {
      if (differs(*row, key)) left.given.emplace(key, value);
    }
    names.push_back(label(left));
    ++times[names.back()];
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (times[names[i]] > 1) names[i] = label(*rows[i]);
  }
  return names;
}

std::string without_keys(const std::string& name) {
  std::string text;
  bool key = false;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find(' ', at), name.size());
    const std::string word = name.substr(at, end - at);
    const std::size_t equal = key ? word.find('=') : std::string::npos;
    text +=
        (text.empty() ? "" : " ") + (equal == std::string::npos ? word : word.substr(equal + 1));
    key = true;
    at = end + 1;
  }
  return text;
}

}  // namespace precipice
