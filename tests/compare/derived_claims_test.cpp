#include "harness/compare/derived_claims.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/compare/claim_verdict.hpp"
#include "tests/support/scripted_cell.hpp"

namespace precipice {
namespace {

using testing::cell_of;
using testing::run_of;
using testing::Script;

CellSummary cell(const char* model, double capacity_per_s, std::uint64_t seed) {
  Script script;
  script.model = {model, {}};
  script.capacity_per_s = capacity_per_s;
  script.seed = seed;
  return cell_of(script);
}

Plan plan_of(const CampaignResult& run) {
  Plan plan;
  for (const CellSummary& each : run.cells) {
    plan.models.push_back(each.model);
    plan.workloads = {each.workload};
  }
  return plan;
}

std::vector<std::string> relations(const CampaignResult& run) {
  std::vector<std::string> all;
  for (const Claim& claim : derived_claims(plan_of(run), run)) all.push_back(claim.that);
  return all;
}

TEST(DerivedClaims, AreOrderRatiosAndShares) {
  const std::string sleep = "sleep:wait=5ms";
  const std::vector<std::string> all = relations(run_of(
      {cell("io_uring", 8000, 1), cell("event_loop", 4000, 2), cell("work_stealing", 2000, 3)}));
  const auto has = [&](const std::string& opening) {
    int found = 0;
    for (const std::string& each : all) found += each.starts_with(opening) ? 1 : 0;
    return found;
  };
  for (const char* figure : {"saturation", "cliff"}) {
    const std::string call = figure;
    EXPECT_EQ(has(call + "(io_uring, " + sleep + ") > " + call + "(event_loop, "), 1);
    EXPECT_EQ(has(call + "(event_loop, " + sleep + ") > " + call + "(work_stealing, "), 1);
    // It follows from the other two.
    EXPECT_EQ(has(call + "(io_uring, " + sleep + ") > " + call + "(work_stealing, "), 0);
  }
  EXPECT_EQ(has("saturation(event_loop, " + sleep + ") within 15% of 0."), 1);
  EXPECT_EQ(has("cliff(io_uring, " + sleep + ") / saturation(io_uring, "), 1);
  EXPECT_EQ(all.size(), 4u + 2u + 3u);
}

TEST(DerivedClaims, WhatCannotBeToldApartHasNoOrder) {
  for (const std::string& relation :
       relations(run_of({cell("io_uring", 4000, 1), cell("event_loop", 4000, 2)})))
    EXPECT_EQ(relation.find('>'), std::string::npos) << relation;
}

TEST(DerivedClaims, ABoundGivesAnOrderAndNoNumber) {
  CellSummary above = cell("io_uring", 8000, 1);
  above.result.cliff.reached = Reached::above;
  bool ordered = false;
  for (const std::string& relation : relations(run_of({above, cell("event_loop", 2000, 2)}))) {
    ordered = ordered || relation.starts_with("cliff(io_uring, sleep:wait=5ms) > cliff(event_loop");
    EXPECT_FALSE(relation.starts_with("cliff(io_uring, sleep:wait=5ms) /")) << relation;
  }
  EXPECT_TRUE(ordered);
}

TEST(DerivedClaims, WhatTheRunItselfDoesNotShowIsNotClaimed) {
  Script rough;
  rough.model = {"io_uring", {}};
  rough.blocks = 3;
  rough.scatter = 0.3;
  const CampaignResult run = run_of({cell_of(rough), cell("event_loop", 3000, 2)}, 3);
  Plan plan = plan_of(run);
  plan.claims = derived_claims(plan, run);
  for (const ClaimVerdict& verdict : judge_claims(plan, run))
    EXPECT_EQ(verdict.outcome, ClaimOutcome::holds) << sentence(verdict);
  // The steady model has its share; three blocks that scatter by a third have no ratio.
  bool steady = false;
  for (const Claim& claim : plan.claims) {
    steady = steady || claim.that.starts_with("cliff(event_loop, sleep:wait=5ms) /");
    EXPECT_FALSE(claim.that.starts_with("cliff(io_uring, sleep:wait=5ms) /")) << claim.that;
    EXPECT_FALSE(claim.that.find(" * saturation(") != std::string::npos) << claim.that;
  }
  EXPECT_TRUE(steady);
}

TEST(DerivedClaims, NothingMeasuredClaimsNothing) {
  CellSummary failed = cell("io_uring", 8000, 1);
  failed.failure = "no ring";
  EXPECT_TRUE(relations(run_of({failed})).empty());
  EXPECT_TRUE(relations(CampaignResult{}).empty());
}

}  // namespace
}  // namespace precipice
