// The policies before a model: what a user writes for them, and the chain that it becomes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/trial/trial.hpp"
#include "models/policies/attempt_meter.hpp"
#include "models/policies/policy.hpp"

namespace precipice {

/// `hedge:after=10ms`, or several, outer first, as in `limit:limit=100|hedge`. Checked by making
/// it, which starts nothing. Throws UsageError.
std::vector<Spec> parse_policies(std::string_view text);
void check_policy(const Spec& spec);
/// As parse_policies reads it; "" for none.
std::string to_string(const std::vector<Spec>& policies);

/// Throws UsageError where a policy contradicts the SLO (0: none is known), or what a timer of the
/// real clock can keep.
void check_policies(const std::vector<Spec>& policies, Nanos slo, ClockKind clock);

/// A model with its policies around it. The meter belongs to the model and lives as long.
struct PolicyChain {
  std::unique_ptr<Model> model;
  AttemptMeter* attempts = nullptr;
  std::vector<const Model*> layers;  ///< outer first, the meter last
};
/// `policies`: outer first, or none. The timeline outlives the model.
PolicyChain make_chain(const std::vector<Spec>& policies, std::unique_ptr<Model> model,
                       Timeline& timeline);
/// Whether a policy numbers the requests that it hands on anew, as `batch` does: the chain then has
/// to be told how many requests there will be.
bool numbers_anew(const std::vector<Spec>& policies);

/// The shortest time that a policy of the chain waits for.
std::optional<Nanos> shortest_time(const std::vector<Spec>& policies);

/// What the policies of a chain say of batches, from the model's figures.
std::optional<BatchFigures> batch_figures(const ModelStats& stats);

}  // namespace precipice
