#include "harness/cli/check_against.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/cli/common_options.hpp"
#include "harness/compare/reproduction.hpp"
#include "harness/json.hpp"
#include "harness/report/terminal.hpp"
#include "harness/report/text_style.hpp"
#include "harness/shown_text.hpp"
#include "harness/store/run_reader.hpp"

namespace precipice::cli {
namespace {

Json json_of(const Reproduction& all, int code) {
  Json claims = Json::array();
  for (const ReproducedClaim& each : all.claims) {
    claims.push_back({{"say", each.claim.say},
                      {"that", each.claim.that},
                      {"outcome", to_string(each.outcome)},
                      {"here", each.here.numbers},
                      {"original", each.original},
                      {"value", number(each.here.value)},
                      {"low", number(each.here.low)},
                      {"high", number(each.here.high)},
                      {"remark", each.remark}});
  }
  return {{"schema", kSchema},      {"run", all.here},  {"original", all.original},
          {"derived", all.derived}, {"claims", claims}, {"exit_code", code}};
}

std::string coloured(const std::string& text, Confirmation outcome, const TableStyle& style) {
  if (!style.colour) return text;
  const char* code = outcome == Confirmation::confirmed       ? "\033[32m"
                     : outcome == Confirmation::not_confirmed ? "\033[1;31m"
                                                              : "\033[33m";
  return code + text + "\033[0m";
}

std::string text_of(const Reproduction& all, const TableStyle& style) {
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
    text += coloured(fmt::format("{:<13}", to_string(each.outcome)), each.outcome, style) + "  ";
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

/// As check's own: one that is refuted says most, then what could not be told.
int exit_code(const Reproduction& all) {
  const auto any = [&](Confirmation outcome) {
    return std::any_of(all.claims.begin(), all.claims.end(),
                       [&](const ReproducedClaim& each) { return each.outcome == outcome; });
  };
  if (any(Confirmation::not_confirmed)) return kClaimFails;
  return any(Confirmation::undecided) || all.claims.empty() ? kInvalid : kDone;
}

}  // namespace

int check_against(const std::string& run, const std::string& claims_of, bool json) {
  const RunArchive here = open_run(run), original = open_run(claims_of);
  remark(here.remark);
  remark(original.remark);
  const Reproduction all = reproduce({original.name, &original.plan, &original.result},
                                     {here.name, &here.plan, &here.result});
  if (all.claims.empty())
    remark("the original shows nothing well enough to be claimed: too few blocks or valid trials");
  const int code = exit_code(all);
  if (json) {
    print_json(json_of(all, code));
  } else {
    print_text(text_of(all, Terminal(stdout).style()));
  }
  return code;
}

}  // namespace precipice::cli
