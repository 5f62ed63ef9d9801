#include "harness/capacity/target_limit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "harness/trial/failed_gates.hpp"

namespace precipice {
namespace {

bool has_gate(const Trial& trial, TrialGate gate) {
  return std::any_of(trial.invalid_reasons.begin(), trial.invalid_reasons.end(),
                     [&](const InvalidReason& reason) { return reason.gate == gate; });
}

Point closed(std::uint64_t lanes, double goodput_per_s) {
  Point point;
  point.phase = Phase::plateau;
  point.closed = lanes;
  point.goodput_per_s = goodput_per_s;
  point.valid = true;
  return point;
}

TEST(TargetLimit, RefusesATrialOnlyWhereMoreInFlightStillCarryMore) {
  Trial bound;
  bound.valid = true;
  bound.network.emplace();
  bound.network->connections = 64;
  bound.network->connections_bound = true;
  const auto judged = [&](std::vector<Point> evidence) {
    Trial trial = bound;
    refuse_if_bound_by_connections(evidence, trial);
    EXPECT_EQ(trial.valid, !has_gate(trial, TrialGate::connections));
    EXPECT_EQ(cannot_offer(trial), !trial.valid);
    return !trial.valid;
  };
  EXPECT_TRUE(judged({closed(16, 1000), closed(32, 2000), closed(64, 4000)}));
  EXPECT_FALSE(judged({closed(16, 1000), closed(32, 1900), closed(64, 1950)}));
  EXPECT_TRUE(judged({closed(64, 4000)})) << "nothing shows that the server is at its limit";
  EXPECT_TRUE(judged({}));
  bound.network->connections_bound = false;
  EXPECT_FALSE(judged({}));
}

/// A cell whose cliff and saturation are lower bounds.
CellSummary censored() {
  CellSummary cell;
  cell.model = Spec{"mine", {}};
  cell.workload = Spec{std::string(kTargetWorkload), {}};
  cell.result.cliff.reached = cell.result.saturation.reached = Reached::above;
  cell.result.cliff.value = cell.result.saturation.value = 950;
  return cell;
}

Plan plan_with(double max_rate_per_s) {
  auto target = std::make_shared<Target>();
  target->name = "mine";
  target->max_rate_per_s = max_rate_per_s;
  Plan plan;
  plan.targets["mine"] = std::move(target);
  return plan;
}

Record refused(double rate_per_s, TrialGate gate) {
  Record record;
  record.trial.request.rate_per_s = rate_per_s;
  record.trial.invalid_reasons.push_back({Cause::generator, gate, ""});
  return record;
}

TEST(TargetLimit, NamesTheLimitThatTheLowestRateMet) {
  CellSummary cell = censored();
  cell.points = {refused(3000, TrialGate::client_cpu), refused(1000, TrialGate::connections),
                 refused(2000, TrialGate::listen_overflows)};
  name_limit(plan_with(0), cell);
  EXPECT_EQ(cell.limit, "connections");
  EXPECT_NE(cell.note.find("limited by the client's 128 connections"), std::string::npos);
  cell = censored();
  cell.points = {refused(3000, TrialGate::client_cpu)};
  name_limit(plan_with(0), cell);
  EXPECT_EQ(cell.limit, "client");
}

TEST(TargetLimit, IsTheServerWhereBothFiguresWereReached) {
  CellSummary cell = censored();
  cell.result.cliff.reached = cell.result.saturation.reached = Reached::ok;
  cell.points = {refused(3000, TrialGate::client_cpu)};
  name_limit(plan_with(0), cell);
  EXPECT_EQ(cell.limit, "server");
  EXPECT_EQ(cell.note, "");
}

TEST(TargetLimit, IsTheBoundOfTheUserWhereTheSearchEndedThere) {
  CellSummary cell = censored();
  name_limit(plan_with(1000), cell);
  EXPECT_EQ(cell.limit, "max_rate");
  EXPECT_NE(cell.note.find("1000/s: see --max-rate"), std::string::npos) << cell.note;
}

TEST(TargetLimit, IsNothingForAModelOfThisProgram) {
  CellSummary cell = censored();
  name_limit(Plan{}, cell);
  EXPECT_EQ(cell.limit, "");
}

}  // namespace
}  // namespace precipice
