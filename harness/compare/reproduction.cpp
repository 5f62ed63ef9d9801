#include "harness/compare/reproduction.hpp"

#include <algorithm>

#include "harness/compare/claim_parser.hpp"
#include "harness/compare/derived_claims.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

/// One claim at a time: one that cannot be read here says nothing of the others.
ClaimVerdict judged(const RunToReproduce& run, const Claim& claim, std::string& why) {
  Plan plan = *run.plan;
  plan.claims = {claim};
  try {
    return judge_claims(plan, *run.result).front();
  } catch (const UsageError& missing) {
    why = missing.what();
    ClaimVerdict verdict;
    verdict.claim = claim;
    return verdict;
  }
}

}  // namespace

const char* to_string(Confirmation confirmation) {
  constexpr const char* names[] = {"confirmed", "not confirmed", "undecided"};
  return names[static_cast<int>(confirmation)];
}

bool is_absolute(const Claim& claim) {
  const ClaimRelation relation = parse_claim(claim.that);
  // A plain number beside a rate is per second; and a load in requests per second is one as well.
  const auto bare = [&](std::size_t side, std::size_t other) {
    return relation.nodes[side].plain_number && relation.nodes[other].dimension != 0;
  };
  return bare(relation.left, relation.right) || bare(relation.right, relation.left) ||
         std::any_of(relation.nodes.begin(), relation.nodes.end(), [](const ClaimNode& node) {
           return (node.kind == ClaimNode::Kind::number && node.dimension != 0) ||
                  (node.load && !node.load->share);
         });
}

Reproduction reproduce(const RunToReproduce& original, const RunToReproduce& here) {
  Reproduction result;
  result.original = original.name;
  result.here = here.name;
  result.derived = original.plan->claims.empty();
  const std::vector<Claim> claims =
      result.derived ? derived_claims(*original.plan, *original.result) : original.plan->claims;
  for (const Claim& claim : claims) {
    ReproducedClaim each;
    each.claim = claim;
    std::string ignored;
    const ClaimVerdict before = judged(original, claim, ignored);
    each.original = before.numbers;
    each.here = judged(here, claim, each.remark);
    // Derived claims are of the original's own figures: whether they hold there is no question.
    const bool shown = result.derived || before.outcome == ClaimOutcome::holds;
    switch (each.here.outcome) {
      case ClaimOutcome::holds:
        each.outcome = Confirmation::confirmed;
        if (!shown) each.remark = "the original itself did not show it";
        break;
      case ClaimOutcome::fails:
        if (!shown) {
          each.remark = "the original itself did not show it";
        } else if (is_absolute(claim)) {
          each.remark = "it names a rate or a time, which is a machine's own";
        } else {
          each.outcome = Confirmation::not_confirmed;
        }
        break;
      default:
        break;
    }
    result.claims.push_back(std::move(each));
  }
  return result;
}

}  // namespace precipice
