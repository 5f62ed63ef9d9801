#include "harness/compare/verdict_sentence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "harness/compare/short_names.hpp"
#include "harness/format.hpp"
#include "harness/shown_text.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

using Row = WorkloadVerdict::Row;

/// Where characters begin, and the end: bytes of one are not torn apart.
std::vector<std::size_t> characters(std::string_view text) {
  std::vector<std::size_t> begins;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) begins.push_back(i);
  }
  begins.push_back(text.size());
  return begins;
}
std::size_t width_of(std::string_view text) { return characters(text).size() - 1; }

std::string cut(const std::string& text, std::size_t width) {
  const std::vector<std::size_t> begins = characters(text);
  if (begins.size() - 1 <= width) return text;
  const std::size_t head = (width - 1) / 2, tail = width - 1 - head;
  return text.substr(0, begins[head]) + "~" + text.substr(begins[begins.size() - 1 - tail]);
}

/// A policy tells series apart more than a model's options do: it stays whole where there is room.
std::string cut_name(const std::string& name, std::size_t width) {
  constexpr std::size_t kLeast = 4;  // of the model
  const std::size_t bar = name.find('|');
  const std::size_t policy = bar == std::string::npos ? 0 : width_of(name.substr(bar));
  if (policy == 0 || policy + kLeast > width || width_of(name) <= width) return cut(name, width);
  const std::vector<std::size_t> begins = characters(name);
  return name.substr(0, begins[width - policy - 1]) + "~" + name.substr(bar);
}

/// How much room the sentence is given; each step takes less.
struct Form {
  std::size_t best, rest, name;
  bool brief = false;  ///< of those that are not the best the number alone
};

class Sentence {
 public:
  Sentence(const WorkloadVerdict& verdict, bool utf8) : v_(verdict), utf8_(utf8) {
    std::vector<const Spec*> models;
    for (const auto* rows : {&v_.best, &v_.rest, &v_.none}) {
      for (const Row& row : *rows) models.push_back(&row.model);
    }
    for (const Spec& model : v_.unmeasured) models.push_back(&model);
    if (std::any_of(models.begin(), models.end(),
                    [](const Spec* model) { return !model->policy.empty(); })) {
      const PolicyNames short_names = policy_names(models);
      model_ = short_names.model;
      for (std::size_t i = 0; i < models.size(); ++i)
        names_[models[i]->to_string()] = short_names.names[i];
      return;
    }
    const std::vector<std::string> full = series_names(models);
    std::set<std::string> different;
    for (const std::string& name : full) different.insert(without_keys(name));
    const bool short_ones = different.size() == std::set(full.begin(), full.end()).size();
    for (std::size_t i = 0; i < models.size(); ++i)
      names_[models[i]->to_string()] = short_ones ? without_keys(full[i]) : full[i];
  }

  std::string text(const Form& form) const {
    std::string text = head(form) + middle(form);
    if (!v_.best.empty() && form.brief) {
      const std::size_t less = v_.rest.size() + v_.none.size();
      if (less > 0) add(text, fmt::format("{} less", less));
    } else if (!v_.best.empty()) {
      add(text, form.rest > 0
                    ? listed(v_.rest, form.rest, [&](const Row& row) { return share(row, form); })
                    : range_of_rest());
      const std::size_t none = v_.none.size();
      if (none > 0)
        add(text, none == 1 ? name(v_.none[0].model, form) + " breaks it"
                            : fmt::format("{} break it", none));
    }
    const std::size_t left = v_.unmeasured.size();
    if (v_.kind != VerdictKind::unmeasured && left > 0)
      add(text,
          (left == 1 ? name(v_.unmeasured[0], form) : std::to_string(left)) + " not measured");
    return text;
  }

 private:
  std::string name(const Spec& model, const Form& form) const {
    return cut_name(names_.at(model.to_string()), form.name);
  }

  std::string head(const Form& form) const {
    // One option says what it is by its unit.
    std::string work = label(v_.workload);
    if (v_.workload.given.size() == 1) work = without_keys(work);
    work = cut(work, std::max<std::size_t>(form.name, 12));
    if (!model_.empty()) work = cut(model_, std::max<std::size_t>(form.name, 12)) + " on " + work;
    if (!(v_.slo_ns > 0)) return work + ": ";
    return fmt::format("{}, p{:g} {} {}: ", work, v_.slo_percentile,
                       utf8_ ? "≤" : "<=", short_time(v_.slo_ns));
  }

  /// "760/s +-3%", "> 35k/s"; an interval that is wide is written out.
  std::string value(const Estimate& e) const {
    const std::string rate = short_rate(e.value) + "/s";
    if (e.reached == Reached::above) return "> " + rate;
    if (e.reached == Reached::below) return "< " + rate;
    if (!(e.low >= 0) || !std::isfinite(e.high)) return rate;
    constexpr double kWide = 0.5;
    const double half = std::max(e.high / e.value - 1, 1 - e.low / e.value);
    if (half > kWide)
      return fmt::format("{} [{}, {}]", rate, short_rate(e.low), short_rate(e.high));
    return fmt::format("{} {}{:.{}f}%", rate, utf8_ ? "±" : "+-", 100 * half,
                       half < 0.0095 ? 1 : 0);
  }

  std::string share(const Row& row, const Form& form) const {
    std::string text = name(row.model, form);
    if (row.reached == Reached::unmeasured) return text + " " + value(row.cliff);
    const char* const bound = row.reached == Reached::below   ? "< "
                              : row.reached == Reached::above ? "> "
                                                              : "";
    return fmt::format("{} {}{}{}", text, bound, times(row.share), row.apart ? "" : " (open)");
  }

  static std::string times(double share) {
    return share >= 0.1 ? fmt::format("{:.2f}x", share) : fmt::format("{:.1g}x", share);
  }

  /// What there is no room to name.
  std::string range_of_rest() const {
    if (v_.rest.empty()) return "";
    const Row &first = v_.rest.front(), &last = v_.rest.back();
    if (first.reached != Reached::ok || last.reached != Reached::ok)
      return fmt::format("{} less", v_.rest.size());
    if (v_.rest.size() == 1) return "1 at " + times(first.share);
    return fmt::format("{} at {} to {}", v_.rest.size(), times(first.share), times(last.share));
  }

  template <class Text>
  std::string listed(const std::vector<Row>& rows, std::size_t most, Text text_of) const {
    std::vector<std::string> parts;
    for (const Row& row : rows) {
      if (parts.size() == most) break;
      parts.push_back(text_of(row));
    }
    if (rows.empty()) return "";
    const std::size_t left = rows.size() - parts.size();
    return fmt::format("{}{}", fmt::join(parts, ", "),
                       left > 0 ? fmt::format(" and {} more", left) : "");
  }

  static void add(std::string& text, const std::string& part) {
    if (!part.empty()) text += "; " + part;
  }

  std::string middle(const Form& form) const {
    const auto named = [&](const Row& row) { return name(row.model, form); };
    const auto valued = [&](const Row& row) { return named(row) + " " + value(row.cliff); };
    switch (v_.kind) {
      case VerdictKind::unmeasured:
        return "no model has a valid figure";
      case VerdictKind::none_holds:
        return "no model holds it at any rate tried";
      case VerdictKind::single:
        return named(v_.best.front()) + " carries " + value(v_.best.front().cliff);
      case VerdictKind::winner:
        return fmt::format("{} carries most ({})", named(v_.best.front()),
                           value(v_.best.front().cliff));
      case VerdictKind::alike:
        return fmt::format("{} alike ({})", listed(v_.best, form.best, named),
                           value(v_.best.front().cliff));
      case VerdictKind::open:
        break;
    }
    return listed(v_.best, form.best, valued) +
           (v_.blocks == 1 ? ", order open (1 block)" : ", order open");
  }

  const WorkloadVerdict& v_;
  const bool utf8_;
  std::map<std::string, std::string> names_;
  std::string model_;  ///< of all series, where only their policies differ
};

}  // namespace

std::string verdict_sentence(const WorkloadVerdict& verdict, std::size_t width, bool utf8) {
  width = std::max<std::size_t>(width, 40);
  const Sentence sentence(verdict, utf8);
  // Of the rest first, then of the best, then names lose their middles. A number in place of the
  // rest says more than names of a few letters.
  struct Step {
    std::size_t name;
    bool brief;
  };
  constexpr Step kSteps[] = {{1000, false}, {18, false}, {12, false}, {18, true}, {12, true},
                             {8, false},    {8, true},   {5, false},  {5, true}};
  std::string text;
  for (const Step& step : kSteps) {
    for (std::size_t best = std::max<std::size_t>(verdict.best.size(), 1); best > 0; --best) {
      for (std::size_t rest = verdict.rest.size() + 1; rest-- > 0;) {
        text = sentence.text({best, rest, step.name, step.brief});
        if (width_of(text) <= width) return text;
      }
    }
  }
  return cut(text, width);
}

}  // namespace precipice
