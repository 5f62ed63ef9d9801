#include "harness/trial/request_class.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "harness/trial/spec.hpp"
#include "models/did_you_mean.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

constexpr const char* kForm = "write NAME:share=0.9,slo=p99<5ms";

double parse_share_of(std::string_view text, std::string_view what) {
  const bool percentage = text.ends_with('%');
  if (percentage) text.remove_suffix(1);
  const double share = parse_number(text, what) / (percentage ? 100 : 1);
  if (share > 0 && share <= 1) return share;
  throw UsageError(fmt::format("{}: share={} should be above 0 and at most 1", what, share));
}

Nanos parse_bound(const std::string& text, std::string_view what) {
  Slo slo;
  try {
    slo = parse_slo(text);
  } catch (const UsageError& complaint) {
    throw UsageError(fmt::format("{}: {}", what, complaint.what()));
  }
  if (slo.bound > Nanos(0)) return slo.bound;
  throw UsageError(fmt::format("{}: slo should be a time, as in p99<20ms", what));
}

RequestClass parse_class(const std::string& text, std::string_view what) {
  const Spec spec = parse_spec(text, what);
  RequestClass result;
  result.name = spec.name;
  const std::string named = fmt::format("{} '{}'", what, spec.name);
  if (!is_class_name(spec.name)) {
    throw UsageError(
        fmt::format("{}: a class is named by letters, digits, '_' and '-'; {}", named, kForm));
  }
  if (!spec.given.contains("share"))
    throw UsageError(fmt::format("{}: its share of the requests is missing; {}", named, kForm));
  for (const auto& [key, value] : spec.given) {
    if (key == "share") {
      result.share = parse_share_of(value, named);
    } else if (key == "slo") {
      result.slo = parse_bound(value, named);
    } else {
      throw UsageError(fmt::format("{}: there is no key '{}'{}; {}", named, key,
                                   did_you_mean(key, {"share", "slo"}), kForm));
    }
  }
  return result;
}

}  // namespace

bool is_class_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

bool shares_add_up(const std::vector<RequestClass>& classes) {
  double sum = 0;
  for (const RequestClass& each : classes) sum += each.share;
  return std::abs(sum - 1) <= 1e-6;
}

std::vector<RequestClass> parse_classes(const std::vector<std::string>& texts,
                                        std::string_view what) {
  if (texts.size() > kMostClasses)
    throw UsageError(fmt::format("{}: there are at most {} classes", what, kMostClasses));
  std::vector<RequestClass> classes;
  for (const std::string& text : texts) {
    RequestClass made = parse_class(text, what);
    for (const RequestClass& other : classes) {
      if (other.name == made.name)
        throw UsageError(fmt::format("{} '{}' is given twice", what, made.name));
    }
    classes.push_back(std::move(made));
  }
  if (!classes.empty() && !shares_add_up(classes)) {
    double sum = 0;
    for (const RequestClass& each : classes) sum += each.share;
    throw UsageError(
        fmt::format("{}: the shares add up to {:.4g}, and should to 1; give {} for each class",
                    what, sum, what));
  }
  return classes;
}

}  // namespace precipice
