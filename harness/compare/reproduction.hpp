// Whether one run confirms what another claimed.
#pragma once

#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/plan.hpp"
#include "harness/compare/claim_verdict.hpp"

namespace precipice {

enum class Confirmation { confirmed, not_confirmed, undecided };
/// "confirmed", "not confirmed", "undecided".
const char* to_string(Confirmation confirmation);

struct ReproducedClaim {
  Claim claim;
  Confirmation outcome = Confirmation::undecided;
  ClaimVerdict here;     ///< of the repetition
  std::string original;  ///< the numbers of the original, or ""
  std::string remark;    ///< why it is undecided, where the numbers do not say
};

struct Reproduction {
  std::string original, here;  ///< names of the runs
  bool derived = false;        ///< the suite claims nothing, so the claims are the original's shape
  std::vector<ReproducedClaim> claims;
};

/// A run: its name, what it was to measure and what it found.
struct RunToReproduce {
  std::string name;
  const Plan* plan = nullptr;
  const CampaignResult* result = nullptr;
};

/// The claims of `original`'s suite, or derived_claims of its figures, judged on `here`. Shape is
/// what counts: a claim that names a rate or a time and does not hold is undecided, not refuted,
/// since such figures are a machine's own; so is one that the original itself did not show, and
/// one about cells that were not measured here.
Reproduction reproduce(const RunToReproduce& original, const RunToReproduce& here);

/// Whether a claim names a rate or a time, as against ratios of what was measured.
bool is_absolute(const Claim& claim);

}  // namespace precipice
