#include "harness/compare/short_names.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "harness/shown_text.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

/// What a suite calls a policy, with its options: `batched:size=8,linger=5ms`.
struct CalledPolicy {
  std::string name;
  std::vector<std::pair<std::string, std::string>> options;
};

/// Commas in parentheses belong to a value. A chain from the command line is a name as a whole.
CalledPolicy called(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || text.find('|') != std::string::npos) return {text, {}};
  CalledPolicy policy{text.substr(0, colon), {}};
  std::size_t begin = colon + 1;
  int depth = 0;
  for (std::size_t at = begin; at <= text.size(); ++at) {
    if (at < text.size()) {
      depth += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
      if (text[at] != ',' || depth > 0) continue;
    }
    const std::string part = text.substr(begin, at - begin);
    const std::size_t equal = std::min(part.find('='), part.size());
    policy.options.emplace_back(part.substr(0, equal),
                                part.substr(std::min(equal + 1, part.size())));
    begin = at + 1;
  }
  return policy;
}

bool all_different(const std::vector<std::string>& names) {
  return std::set<std::string>(names.begin(), names.end()).size() == names.size();
}

std::vector<std::string> short_models(const std::vector<Spec>& models) {
  std::vector<const Spec*> rows;
  for (const Spec& model : models) rows.push_back(&model);
  std::vector<std::string> names = series_names(rows), brief;
  for (const std::string& name : names) brief.push_back(without_keys(name));
  return all_different(brief) ? brief : names;
}

/// By row; "no policy" without one.
std::vector<std::string> short_policies(const std::vector<const Spec*>& rows) {
  std::vector<CalledPolicy> policies;
  std::map<std::string, std::map<std::string, std::map<std::string, std::set<std::string>>>>
      holders;
  std::map<std::string, std::set<std::string>> kinds;  ///< all texts that have this name
  for (const Spec* row : rows) {
    policies.push_back(called(row->policy));
    kinds[policies.back().name].insert(row->policy);
    for (const auto& [key, value] : policies.back().options)
      holders[policies.back().name][key][value].insert(row->policy);
  }
  std::vector<std::string> names;
  for (const CalledPolicy& policy : policies) {
    std::string text = policy.name.empty() ? "no policy" : policy.name;
    for (const auto& [key, value] : policy.options) {
      // What all of them have says nothing.
      if (holders[policy.name][key][value].size() < kinds[policy.name].size()) text += ' ' + value;
    }
    names.push_back(shown_in_line(text));
  }
  return names;
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

PolicyNames policy_names(const std::vector<const Spec*>& rows) {
  std::vector<Spec> models;
  std::vector<std::size_t> model_of;
  for (const Spec* row : rows) {
    Spec bare = *row;
    bare.policy.clear();
    const auto found = std::find_if(models.begin(), models.end(), [&bare](const Spec& known) {
      return known.to_string() == bare.to_string();
    });
    model_of.push_back(static_cast<std::size_t>(found - models.begin()));
    if (found == models.end()) models.push_back(std::move(bare));
  }
  const std::vector<std::string> short_ones = short_models(models);
  PolicyNames short_names{models.size() == 1 ? short_ones.front() : "", short_policies(rows)};
  for (std::size_t i = 0; i < rows.size() && models.size() > 1; ++i) {
    const std::string& model = short_ones[model_of[i]];
    short_names.names[i] = rows[i]->policy.empty() ? model : model + '|' + short_names.names[i];
  }
  if (all_different(short_names.names)) return short_names;
  return {"", series_names(rows)};
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
