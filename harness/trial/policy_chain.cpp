#include "harness/trial/policy_chain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

std::unique_ptr<Policy> make_policy(const Spec& spec, std::unique_ptr<Model> inner,
                                    Timeline* timeline) {
  const PolicyInfo& info = policy_named(spec.name);
  return info.make(Options(spec.name, info.options, spec.given), std::move(inner), timeline);
}

}  // namespace

void check_policy(const Spec& spec) { make_policy(spec, nullptr, nullptr); }

void check_policies(const std::vector<Spec>& policies, Nanos slo, ClockKind clock) {
  // How late the kernel may wake a thread that asks for nothing better: the default timer slack.
  constexpr Nanos kTimerSlack = std::chrono::microseconds(50);
  for (const Spec& spec : policies) {
    const auto policy = make_policy(spec, nullptr, nullptr);
    if (slo > Nanos(0)) {
      if (const std::string why = policy->contradiction(slo); !why.empty())
        throw UsageError(fmt::format("{}: {}", spec.name, why));
    }
    const std::optional<Nanos> time = policy->shortest_time();
    if (clock == ClockKind::real && time && *time < kTimerSlack) {
      throw UsageError(fmt::format(
          "{}: {} is a time that a timer cannot keep, which may be {} late; make it longer, or "
          "measure on the virtual clock",
          spec.to_string(), format_duration(*time), format_duration(kTimerSlack)));
    }
  }
}

std::vector<Spec> parse_policies(std::string_view text) {
  std::vector<Spec> policies;
  for (const std::string_view part : split_outside_parentheses(text, '|', "policy")) {
    policies.push_back(parse_spec(part, "policy"));
    check_policy(policies.back());
  }
  return policies;
}

std::string to_string(const std::vector<Spec>& policies) {
  std::string text;
  for (const Spec& policy : policies) text += (text.empty() ? "" : "|") + policy.to_string();
  return text;
}

PolicyChain make_chain(const std::vector<Spec>& policies, std::unique_ptr<Model> model,
                       Timeline& timeline) {
  PolicyChain chain;
  auto meter = std::make_unique<AttemptMeter>(std::move(model), timeline);
  chain.attempts = meter.get();
  chain.model = std::move(meter);
  chain.layers.push_back(chain.model.get());
  for (auto policy = policies.rbegin(); policy != policies.rend(); ++policy) {
    chain.model = make_policy(*policy, std::move(chain.model), &timeline);
    chain.layers.insert(chain.layers.begin(), chain.model.get());
  }
  return chain;
}

// A policy that chooses among chains names them in its values.
bool numbers_anew(const std::vector<Spec>& policies) {
  return std::any_of(policies.begin(), policies.end(), [](const Spec& policy) {
    return policy.to_string().find("batch") != std::string::npos;
  });
}

std::optional<Nanos> shortest_time(const std::vector<Spec>& policies) {
  std::optional<Nanos> shortest;
  for (const Spec& spec : policies) {
    const std::optional<Nanos> own = make_policy(spec, nullptr, nullptr)->shortest_time();
    if (own) shortest = std::min(*own, shortest.value_or(*own));
  }
  return shortest;
}

std::optional<BatchFigures> batch_figures(const ModelStats& stats) {
  BatchFigures figures;
  for (const auto& [name, value] : stats) {
    if (name == "batch_mean") figures.mean = value;
    if (name == "batch_p99") figures.p99 = value;
  }
  return figures.mean > 0 ? std::optional(figures) : std::nullopt;
}

}  // namespace precipice
