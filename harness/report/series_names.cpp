#include "harness/report/series_names.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

#include "harness/compare/short_names.hpp"
#include "harness/report/text_style.hpp"

namespace precipice {
namespace {

/// Without the first word, where there are others.
std::string options_only(const std::string& name) {
  const std::size_t space = name.find(' ');
  return space == std::string::npos ? name : name.substr(space + 1);
}

}  // namespace

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
