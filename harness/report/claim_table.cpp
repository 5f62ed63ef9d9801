#include "harness/report/claim_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "harness/shown_text.hpp"

namespace precipice {
namespace {

constexpr std::array kOutcomes{ClaimOutcome::holds, ClaimOutcome::fails, ClaimOutcome::undecided,
                               ClaimOutcome::invalid, ClaimOutcome::lacking};

std::string coloured(const std::string& text, bool good, bool bad, const TableStyle& style) {
  if (!style.colour) return text;
  return fmt::format("{}{}\033[0m", good ? "\033[32m" : bad ? "\033[1;31m" : "\033[33m", text);
}

/// Each line of `text` wrapped, behind `indent` spaces.
std::string indented(const std::string& text, std::size_t indent, TableStyle style) {
  constexpr int kNarrowest = 60;
  style.width = std::max(kNarrowest, style.width);
  std::string out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out += wrapped(std::string(indent, ' ') + text.substr(at, end - at), style, indent);
    at = end + 1;
  }
  return out;
}

}  // namespace

std::string claim_counts(const std::vector<ClaimVerdict>& verdicts) {
  std::string text;
  for (const ClaimOutcome outcome : kOutcomes) {
    const auto count = std::count_if(verdicts.begin(), verdicts.end(), [&](const auto& verdict) {
      return verdict.outcome == outcome;
    });
    if (count == 0) continue;
    const std::string_view word = outcome == ClaimOutcome::holds && count > 1 ? "hold"
                                  : outcome == ClaimOutcome::fails && count > 1
                                      ? "fail"
                                      : to_string(outcome);
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, word);
  }
  return text;
}

std::string claim_table(const std::vector<ClaimVerdict>& verdicts, const TableStyle& style) {
  std::size_t column = 0;
  for (const ClaimVerdict& verdict : verdicts)
    column = std::max(column, std::string_view(to_string(verdict.outcome)).size());
  std::string text;
  for (const ClaimVerdict& verdict : verdicts) {
    const std::string outcome = fmt::format("{:<{}}", to_string(verdict.outcome), column);
    text += coloured(outcome, verdict.outcome == ClaimOutcome::holds,
                     verdict.outcome == ClaimOutcome::fails, style);
    text += indented(shown_in_line(verdict.claim.say), column + 2, style).substr(column);
    text += indented(shown(verdict.numbers), column + 2, style);
  }
  return text;
}

std::string reproduction_table(const Reproduction& all, const TableStyle& style) {
  const auto count = [&](Confirmation outcome) {
    return std::count_if(all.claims.begin(), all.claims.end(),
                         [&](const ReproducedClaim& each) { return each.outcome == outcome; });
  };
  std::string text =
      wrapped(fmt::format("{} against {}: {} confirmed, {} not confirmed, {} undecided",
                          shown_in_line(all.here), shown_in_line(all.original),
                          count(Confirmation::confirmed), count(Confirmation::not_confirmed),
                          count(Confirmation::undecided)),
              style, 2);
  if (all.derived) {
    text += wrapped(
        "The suite makes no claim: what is checked is the original's shape, that is the order of "
        "the models, their ratios, and each cliff as a share of its saturation.",
        style, 2);
  }
  text += '\n';
  for (const ReproducedClaim& each : all.claims) {
    text += coloured(fmt::format("{:<13}", to_string(each.outcome)),
                     each.outcome == Confirmation::confirmed,
                     each.outcome == Confirmation::not_confirmed, style) +
            "  ";
    std::string say = wrapped(fmt::format("{:15}{}", "", shown_in_line(each.claim.say)), style, 15);
    text += say.substr(15);
    // Where the original's shape is the claim, its figures are in the sentence.
    if (!each.here.numbers.empty())
      text += wrapped("    here: " + shown_in_line(each.here.numbers), style, 10);
    if (!all.derived && !each.original.empty())
      text += wrapped("    original: " + shown_in_line(each.original), style, 10);
    if (!each.remark.empty()) text += wrapped("    " + shown_in_line(each.remark), style, 4);
  }
  return text;
}

}  // namespace precipice
