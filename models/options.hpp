// Named settings of a model or a workload: `fixed_pool:threads=64` on a command line, a table in a
// suite. A component declares its keys once; what a user wrote is checked against them and read
// back typed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "models/request.hpp"

namespace precipice {

/// What the user wrote is wrong: the message names the thing, its place and the cure. Exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// This machine lacks what was asked for (a kernel feature, descriptors, threads): the message
/// names it and the cure. Exit code 4.
struct Unavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One key that a component understands. `fallback` is the text of the default, "" when it is
/// computed; `help` says what it is, its unit and range, and why the default is what it is.
struct OptionKey {
  std::string_view name;
  std::string_view fallback;
  std::string_view help;
};

/// Values for the keys of one component. Immutable once made.
class Options {
 public:
  Options() = default;
  /// Checks every given key against `keys` (throws UsageError with a "did you mean") and fills in
  /// defaults.
  Options(std::string_view component, const std::vector<OptionKey>& keys,
          const std::map<std::string, std::string>& given);

  bool given(std::string_view key) const;  ///< by the user, as against the default
  const std::string& text(std::string_view key) const;
  /// The readers below throw UsageError naming component, key, value and what would be right.
  std::uint64_t count(std::string_view key, std::uint64_t low,
                      std::uint64_t high) const;  ///< 64, 10k, 1M
  double number(std::string_view key, double low, double high) const;
  Nanos duration(std::string_view key) const;       ///< 50us, 2ms, 1s; >= 0
  std::uint64_t bytes(std::string_view key) const;  ///< 4096, 4KiB, 64MiB
  bool flag(std::string_view key) const;            ///< true/false, on/off, 1/0, yes/no
  std::string choice(std::string_view key, const std::vector<std::string_view>& allowed) const;

  const std::map<std::string, std::string, std::less<>>& values() const { return values_; }
  const std::map<std::string, std::string, std::less<>>& given_values() const { return given_; }

 private:
  std::string component_;
  std::map<std::string, std::string, std::less<>> values_;
  std::map<std::string, std::string, std::less<>> given_;
};

/// `50us`, `2ms`, `1s`, `1.5ms`, `1h`; throws UsageError that names `what`.
Nanos parse_duration(std::string_view text, std::string_view what);
/// 1500000 -> "1.5ms": four digits, for people.
std::string format_duration(Nanos duration);
/// 1500000 -> "1500us": parses to the same duration, for files.
std::string exact_duration(Nanos duration);
/// `4096`, `4KiB`, `64MiB`, `1GiB`.
std::uint64_t parse_bytes(std::string_view text, std::string_view what);
/// A whole number from `low` to `high`; `5k` and `1.5M` are understood. Throws UsageError that
/// names `what` and both ends.
std::uint64_t parse_count(std::string_view text, std::string_view what, std::uint64_t low,
                          std::uint64_t high);
/// A finite number, nothing behind it.
double parse_number(std::string_view text, std::string_view what);

/// Cuts at separators that are outside all parentheses. Throws UsageError that names `what`.
std::vector<std::string_view> split_outside_parentheses(std::string_view text, char separator,
                                                        std::string_view what);

}  // namespace precipice
