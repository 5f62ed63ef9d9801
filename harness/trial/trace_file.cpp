#include "harness/trial/trace_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "harness/text_encoding.hpp"
#include "harness/trial/limits.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

constexpr std::string_view kBlanks = " \t\v\f\r";
constexpr std::string_view kForm = "write one time in seconds a line, as in 0.25";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

/// NaN unless all of it is a finite number.
double number_of(std::string_view text) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && std::isfinite(value) ? value
                                                                                          : kNone;
}

/// What somebody may have meant who wrote this.
std::string guess(std::string_view text, bool first) {
  const auto is_number = [](std::string_view part) {
    return !std::isnan(number_of(trimmed(part)));
  };
  const std::size_t comma = text.find(',');
  if (comma != std::string_view::npos && is_number(text.substr(0, comma))) {
    const std::string_view rest = text.substr(comma + 1);
    return !rest.empty() && std::all_of(rest.begin(), rest.end(),
                                        [](unsigned char c) { return std::isdigit(c) != 0; })
               ? "a decimal comma? write a point; or several columns? leave the times alone"
               : "several columns? leave the times alone";
  }
  const std::size_t gap = text.find_first_of(" \t;|");
  if (gap != std::string_view::npos && is_number(text.substr(0, gap)))
    return "several columns? leave the times alone";
  const bool letters =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
  if (first && letters) return "a header? leave it out, or put # before it";
  return "";
}

}  // namespace

std::vector<double> parse_trace(std::istream& text, std::string_view name) {
  std::vector<double> times;
  const auto take = [&](std::string_view field, int line) {
    field = trimmed(field.substr(0, field.find('#')));
    if (field.empty()) return;
    const double time = number_of(field);
    if (std::isnan(time)) {
      const std::string meant = guess(field, times.empty());
      throw UsageError(fmt::format("{}:{}: '{}' is not a number{}{}; {}", name, line,
                                   printable_ascii(field), meant.empty() ? "" : ": ", meant,
                                   kForm));
    }
    if (!times.empty() && time < times.back()) {
      throw UsageError(fmt::format("{}:{}: arrival times must ascend, and {} comes after {}", name,
                                   line, time, times.back()));
    }
    if (times.size() >= kMaxRequests)
      throw UsageError(
          fmt::format("arrivals: the trace {} has more than {} times", name, kMaxRequests));
    times.push_back(time);
  };

  int number = 1;
  for (std::string line; std::getline(text, line); ++number) {
    std::string_view rest = line;
    if (number == 1) {
      if (const std::string other = other_encoding(rest); !other.empty())
        throw UsageError(fmt::format("arrivals: the trace {} {}", name, other));
      rest = without_byte_order_mark(rest);
    }
    // Where lines end in a carriage return alone the whole file is one.
    for (std::size_t end; (end = rest.find('\r')) != std::string_view::npos;) {
      take(rest.substr(0, end), number);
      rest.remove_prefix(end + 1);
      if (!rest.empty()) ++number;
    }
    take(rest, number);
  }

  if (times.size() < 2) {
    throw UsageError(fmt::format("arrivals: the trace {} has {}, and needs two at least; {}", name,
                                 times.empty() ? "no arrival time" : "one arrival time", kForm));
  }
  const double first = times.front(), length = times.back() - first;
  if (!(length > 0)) {
    throw UsageError(fmt::format("arrivals: all {} times of the trace {} are equal ({})",
                                 times.size(), name, first));
  }
  const double scale = static_cast<double>(times.size() - 1) / length;
  if (!std::isfinite(length) || !std::isfinite(scale)) {
    throw UsageError(
        fmt::format("arrivals: the trace {} goes from {} to {} s, which has no mean rate", name,
                    first, times.back()));
  }
  for (double& time : times) time = (time - first) * scale;
  return times;
}

std::vector<double> read_trace(const std::string& file) {
  // A device or a pipe may never end, and is another one when it is read again.
  std::error_code error;
  std::ifstream input;
  if (std::filesystem::is_regular_file(file, error)) input.open(file, std::ios::binary);
  if (!input.is_open())
    throw UsageError(fmt::format("arrivals: cannot read the trace {}; name a regular file", file));
  return parse_trace(input, file);
}

}  // namespace precipice
