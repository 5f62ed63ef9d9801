// precipice check: do the claims of a run's suite hold.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/cli/check_against.hpp"
#include "harness/cli/common_options.hpp"
#include "harness/compare/claim_verdict.hpp"
#include "harness/json.hpp"
#include "harness/report/claim_table.hpp"
#include "harness/report/terminal.hpp"
#include "harness/report/text_style.hpp"
#include "harness/shown_text.hpp"
#include "harness/store/run_reader.hpp"

namespace precipice::cli {
namespace {

struct CheckArguments : CommonArguments {
  std::string run, claims_of;
};

/// JSON has no infinity and no NaN.
Json finite_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json to_json(const ClaimVerdict& verdict) {
  Json figures = Json::array();
  for (const ClaimReading& each : verdict.figures) {
    const FigureReading& reading = each.reading;
    Json figure = {{"figure", each.call},
                   {"value", finite_or_null(reading.value)},
                   {"low", finite_or_null(reading.low)},
                   {"high", finite_or_null(reading.high)}};
    if (!reading.missing.empty()) figure["missing"] = reading.missing;
    figures.push_back(std::move(figure));
  }
  return {{"say", verdict.claim.say},
          {"that", verdict.claim.that},
          {"outcome", to_string(verdict.outcome)},
          {"numbers", verdict.numbers},
          {"scale", verdict.scale},
          {"value", finite_or_null(verdict.value)},
          {"low", finite_or_null(verdict.low)},
          {"high", finite_or_null(verdict.high)},
          {"claimed", verdict.claimed},
          {"figures", figures}};
}

/// One that fails says most; then what could not be measured, as in `precipice run`.
int exit_code(const std::vector<ClaimVerdict>& verdicts) {
  const auto any = [&](ClaimOutcome outcome) {
    return std::any_of(verdicts.begin(), verdicts.end(),
                       [&](const ClaimVerdict& verdict) { return verdict.outcome == outcome; });
  };
  if (any(ClaimOutcome::fails)) return kClaimFails;
  if (any(ClaimOutcome::invalid) || any(ClaimOutcome::undecided)) return kInvalid;
  return any(ClaimOutcome::lacking) ? kLacking : kDone;
}

int check(const CheckArguments& arguments) {
  if (!arguments.claims_of.empty())
    return check_against(arguments.run, arguments.claims_of, arguments.json);
  const RunArchive run = open_run(arguments.run);
  if (run.plan.claims.empty()) {
    throw UsageError(fmt::format(
        "{}: its suite makes no claim, so there is nothing to check; a claim is a table [[claim]] "
        "with say and that (docs/claims.md), and precipice run claims.toml measures a suite of "
        "them",
        run.directory));
  }
  const std::vector<ClaimVerdict> verdicts = judge_claims(run.plan, run.result);
  remark(run.remark);
  const int code = exit_code(verdicts);
  if (arguments.json) {
    Json claims = Json::array();
    for (const ClaimVerdict& verdict : verdicts) claims.push_back(to_json(verdict));
    print_json({{"schema", kSchema},
                {"run", run.name},
                {"directory", run.directory},
                {"remark", run.remark},
                {"confidence", 0.95},
                {"claims", claims},
                {"exit_code", code}});
    return code;
  }
  const Terminal out(stdout);
  const TableStyle style = out.style();
  std::string text = fmt::format("{}: {}\n", shown_in_line(run.name), claim_counts(verdicts));
  if (isatty(STDOUT_FILENO) == 1) {
    text += '\n' + claim_table(verdicts, style);
  } else {
    for (const ClaimVerdict& verdict : verdicts) text += shown_in_line(sentence(verdict)) + '\n';
  }
  print_text(text);
  return code;
}

void add_options(OptionParser& parser, CheckArguments& a) {
  parser.add_required(
      "run", a.run,
      "A run's directory, or a suite's with its newest finished run (results/claims)");
  parser.add_option("--claims-of", a.claims_of,
                    "Another run: does RUN confirm its claims, or without any its shape");
  add_common(parser, a);
  parser.footer(
      "A claim holds or fails when its 95% interval says so, and is undecided otherwise.\n"
      "Exit codes: 0 all hold; 1 one fails; else 3 one is undecided or has no valid measurement;\n"
      "else 4 one needs what this machine lacks; 2 wrong usage, a suite without claims included.\n"
      "With --claims-of: 0 all confirmed; 1 one is not; else 3 one is undecided.\n"
      "Example:\n"
      "  precipice run claims.toml && precipice check results/claims");
}

}  // namespace

Verb check_verb() {
  return make_verb<CheckArguments>("check", "Do the claims of a run's suite hold", add_options,
                                   check);
}

}  // namespace precipice::cli
