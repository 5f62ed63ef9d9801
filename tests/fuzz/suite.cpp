// A suite file: TOML, the keys, the expansion of lists, and back to TOML.
#include "harness/store/suite.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "harness/trial/spec.hpp"
#include "tests/fuzz/property.hpp"

namespace precipice::fuzz {
namespace {

std::string slo_text(const Slo& slo) {
  return fmt::format("{} {} {} {}", slo.percentile, slo.times_service, slo.bound.count(), slo.text);
}

/// Every field, so that two plans are the same only when their texts are.
std::string everything(const Plan& plan) {
  std::string text =
      fmt::format("{} {} {}\n{}\n{}\n{} {} {} {} {}\n{}\n{}\n{}\n{}\n", plan.name, plan.seed,
                  plan.blocks, slo_text(plan.slo), plan.arrivals.to_string(), plan.window.count(),
                  plan.warmup.count(), plan.brief, plan.coarse_window.count(), plan.drain.count(),
                  plan.refine, plan.overload, plan.grid, plan.repeats);
  for (const auto& [name, chain] : plan.policies) {
    text += name;
    for (const Spec& policy : chain) text += fmt::format(" {} {}", policy.name, policy.given);
  }
  text += fmt::format("\n{}\n", plan.price_per_cpu_hour);
  for (const Spec& model : plan.models)
    text += fmt::format("{} {} {}\n", model.name, model.given, model.policy);
  for (const Spec& workload : plan.workloads) {
    text +=
        fmt::format("{} {} {}\n", workload.name, workload.given, slo_text(plan.slo_of(workload)));
    for (const Spec& model : plan.models) text += plan.includes(model, workload) ? '+' : '-';
  }
  for (const Claim& claim : plan.claims) text += fmt::format("{}\n{}\n", claim.say, claim.that);
  return text;
}

}  // namespace
}  // namespace precipice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace precipice;
  using namespace precipice::fuzz;
  const auto plan = accepted([&] { return parse_suite(text_of(data, size), "fuzz.toml"); });
  if (!plan) return 0;
  require(!plan->models.empty() && !plan->workloads.empty(), "a plan measures something");

  const std::string printed = to_toml(*plan);
  const Plan same = again("a plan prints what parses", printed,
                          [&] { return parse_suite(printed, "again.toml"); });
  require(everything(same) == everything(*plan), "a plan parses to itself",
          everything(*plan) + "\n-- and again --\n" + everything(same));
  require(to_toml(same) == printed && plan_hash(same) == plan_hash(*plan),
          "a plan prints the same twice", printed);
  // The journal keeps a series as its text, and finds it again by that.
  for (const std::vector<Spec>* specs : {&plan->models, &plan->workloads}) {
    for (const Spec& spec : *specs) {
      const std::string text = spec.to_string();
      const Spec read =
          again("a series prints what parses", text, [&] { return parse_series(text, "series"); });
      require(read.name == spec.name && read.given == spec.given && read.policy == spec.policy,
              "a series parses to itself", text);
    }
  }
  const PlanEstimate estimated = estimate(*plan);
  require(estimated.cells >= 0 && estimated.trials >= 0 && std::isfinite(estimated.seconds) &&
              estimated.seconds >= 0,
          "an estimate is a number", printed);
  Plan first = *plan;
  accepted([&] { return keep_only(first, plan->models.front().name), 0; });
  return 0;
}
