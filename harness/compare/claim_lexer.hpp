// The words and quantities of a claim's text (grammar: claim_parser.hpp).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "models/options.hpp"

namespace precipice {

bool is_space(char c);
bool is_digit(char c);
/// ASCII, and '_'.
bool is_letter(char c);

/// A part of the claim: [begin, end).
struct ClaimSpan {
  std::size_t begin = 0, end = 0;
};

/// A number with its unit, in seconds, per second, or plain.
struct ClaimQuantity {
  std::size_t begin = 0;
  double value = 0;
  int dimension = 0;   ///< as ClaimNode's
  bool plain = false;  ///< without a unit: fits a rate as well
};

/// A position in the text, and what can be read from there. `text` outlives it.
class ClaimLexer {
 protected:
  explicit ClaimLexer(std::string_view text) : text_(text) {}

  /// "at COLUMN: message", counted from 1.
  UsageError error(std::size_t at, std::string_view message) const;
  /// What stands at a position, for a message.
  std::string found(std::size_t at) const;

  void skip_space();
  /// The next character after spaces, '\0' at the end.
  char peek();
  /// A word of letters, digits and '_', "" when there is none; does not move.
  std::string_view word();
  /// Reads 0.8, 1.5k, 10%, 5ms or 800/s. Throws UsageError.
  ClaimQuantity quantity();

  ClaimSpan trimmed(ClaimSpan span) const;
  std::string_view part(const ClaimSpan& span) const;
  /// `key=value` without a name before it.
  bool is_setting(const ClaimSpan& span) const;

  std::string_view text_;
  std::size_t at_ = 0;

 private:
  void unit(ClaimQuantity& number);
};

}  // namespace precipice
