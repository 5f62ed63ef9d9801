#include "harness/report/series_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/report/text_style.hpp"
#include "harness/shown_text.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

/// `fixed_pool threads=8 stack=1MiB` -> `fixed_pool 8 1MiB`.
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

/// Without the first word, where there are others.
std::string options_only(const std::string& name) {
  const std::size_t space = name.find(' ');
  return space == std::string::npos ? name : name.substr(space + 1);
}

}  // namespace

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
    Spec left{row->name, {}};
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

std::vector<std::string> fitted_names(const std::vector<std::string>& names, std::size_t width,
                                      const TableStyle& style) {
  const std::size_t different = std::set<std::string>(names.begin(), names.end()).size();
  using Form = std::string (*)(const std::string&);
  constexpr Form kForms[] = {[](const std::string& name) { return name; }, without_keys,
                             [](const std::string& name) {
                               return without_keys(options_only("x " + options_only(name)));
                             }};
  for (const Form form : kForms) {
    std::vector<std::string> fitted;
    for (const std::string& name : names) fitted.push_back(shortened(form(name), width, style));
    if (std::set<std::string>(fitted.begin(), fitted.end()).size() == different) return fitted;
  }
  std::map<std::string, std::size_t> numbers;
  std::vector<std::string> fitted;
  for (const std::string& name : names) {
    const std::size_t number = numbers.try_emplace(name, numbers.size() + 1).first->second;
    const std::string mark = fmt::format("#{}", number);
    fitted.push_back(mark.size() + 2 > width ? shortened(mark, width, style)
                                             : shortened(name, width - mark.size(), style) + mark);
  }
  return fitted;
}

}  // namespace precipice
