#include "harness/store/suite_writer.hpp"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "harness/store/suite_targets.hpp"
#include "harness/store/toml_text.hpp"
#include "harness/trial/spec.hpp"
#include "harness/trial/transport.hpp"

namespace precipice {
namespace {

std::string list_text(const std::vector<double>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

}  // namespace

std::string to_toml(const Plan& plan) {
  std::string text =
      fmt::format("schema = {}\nname = {}\nseed = {}\nblocks = {}\nslo = {}\n", kSuiteSchema,
                  in_quotes(plan.name), plan.seed, plan.blocks, in_quotes(to_string(plan.slo)));
  if (!plan.rates.empty()) text += fmt::format("rates = {}\n", list_text(plan.rates));
  if (plan.price_per_cpu_hour > 0)
    text += fmt::format("price_per_cpu_hour = {}\n", plan.price_per_cpu_hour);
  const bool by_time = plan.clock == ClockKind::real || plan.virtual_requests == 0;
  text += fmt::format("\n[load]\narrivals = {}\n", in_quotes(plan.arrivals.to_string()));
  if (by_time) text += fmt::format("window = {}\n", in_quotes(exact_duration(plan.window)));
  if (plan.requests > 0) text += fmt::format("requests = {}\n", plan.requests);
  if (plan.warmup > Nanos::zero())
    text += fmt::format("warmup = {}\n", in_quotes(exact_duration(plan.warmup)));
  if (plan.clock == ClockKind::virtual_time) text += "clock = \"virtual\"\n";
  text += fmt::format("drain = {}\n", in_quotes(exact_duration(plan.drain)));
  if (by_time)
    text += fmt::format("coarse_window = {}\n", in_quotes(exact_duration(plan.coarse_window)));
  text += fmt::format("brief = {}\n", plan.brief);
  if (plan.trigger) text += fmt::format("trigger = {}\n", in_quotes(plan.trigger->to_string()));
  text += fmt::format("\n[search]\nrefine = {}\noverload = {}\ngrid = {}\nrepeats = {}\n",
                      list_text(plan.refine), list_text(plan.overload), list_text(plan.grid),
                      plan.repeats);
  if (plan.precision > 0) text += fmt::format("precision = {}\n", plan.precision);
  for (const RequestClass& each : plan.classes) {
    text += fmt::format("\n[[class]]\nname = {}\nshare = {}\n", in_quotes(each.name), each.share);
    if (each.slo > Nanos(0))
      text += fmt::format("slo = \"p{:g} < {}\"\n", plan.slo.percentile, exact_duration(each.slo));
  }
  for (const auto& [name, chain] : plan.policies) {
    std::string list;
    for (const Spec& policy : chain)
      list += fmt::format("{}{}", list.empty() ? "" : ", ", in_quotes(policy.to_string()));
    text += fmt::format("\n[[policy]]\nname = {}\nchain = [{}]\n", in_quotes(name), list);
  }
  const auto series = [&](std::string_view section, const std::vector<Spec>& specs) {
    for (const Spec& spec : specs) {
      if (plan.target_of(spec) != nullptr || spec.name == kTargetWorkload) continue;
      text += fmt::format("\n[[{}]]\nuse = {}\n", section, in_quotes(spec.name));
      for (const auto& [key, value] : spec.given)
        text += fmt::format("{} = {}\n", key, in_quotes(value));
      if (const std::string policy = policy_name(spec); !policy.empty())
        text += fmt::format("policy = {}\n", in_quotes(policy));
      if (const std::string transport(transport_text(spec)); !transport.empty())
        text += fmt::format("transport = {}\n", in_quotes(transport));
      const auto slo = plan.workload_slo.find(spec.to_string());
      if (section == "workload" && slo != plan.workload_slo.end())
        text += fmt::format("slo = {}\n", in_quotes(to_string(slo->second)));
      const auto models = plan.workload_models.find(spec.to_string());
      if (section == "workload" && models != plan.workload_models.end()) {
        std::string list;
        for (const Spec& model : plan.models) {
          if (!models->second.contains(model.to_string())) continue;
          list += fmt::format("{}{}", list.empty() ? "" : ", ", in_quotes(model.to_string()));
        }
        text += fmt::format("models = [{}]\n", list);
      }
    }
  };
  series("model", plan.models);
  series("workload", plan.workloads);
  text += targets_toml(plan);
  for (const Claim& claim : plan.claims) {
    text += fmt::format("\n[[claim]]\nsay = {}\nthat = {}\n", in_quotes(claim.say),
                        in_quotes(claim.that));
  }
  return text;
}

std::string plan_hash(const Plan& plan) {
  Plan known = plan;
  known.arrivals = plan.arrivals.with_trace_file(plan.arrivals.identity());
  const std::string text =
      fmt::format("{}\n{}\n{}\n{}\n{}{}", to_toml(known), plan.generator_cpus.to_string(),
                  plan.model_cpus.to_string(), plan.clock == ClockKind::real ? "real" : "virtual",
                  plan.only, targets_contents(plan));
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a, 64 bit
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ULL;
  return fmt::format("{:016x}", hash);
}

}  // namespace precipice
