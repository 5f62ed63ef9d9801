#include "harness/cli/check_against.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/cli/common_options.hpp"
#include "harness/compare/reproduction.hpp"
#include "harness/json.hpp"
#include "harness/report/claim_table.hpp"
#include "harness/report/terminal.hpp"
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
    print_text(reproduction_table(all, Terminal(stdout).style()));
  }
  return code;
}

}  // namespace precipice::cli
