#include "harness/host/cpu_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/host/machine.hpp"

namespace precipice {
namespace {

CpuSet without(const CpuSet& cpus, const CpuSet& taken) {
  std::vector<int> rest;
  for (const int cpu : cpus.list()) {
    if (!taken.contains(cpu)) rest.push_back(cpu);
  }
  return CpuSet(std::move(rest));
}

/// Hardware threads that share a core with one of the set, the set itself included.
CpuSet with_siblings(const CpuSet& cpus, const std::vector<CpuSet>& cores) {
  std::vector<int> all = cpus.list();
  for (const CpuSet& core : cores) {
    if (without(core, cpus).size() < core.size())
      all.insert(all.end(), core.list().begin(), core.list().end());
  }
  return CpuSet(std::move(all));
}

CpuSet first_of(const CpuSet& cpus, std::size_t count) {
  return CpuSet({cpus.list().begin(),
                 cpus.list().begin() + static_cast<std::ptrdiff_t>(std::min(count, cpus.size()))});
}

/// The first of these that is not empty.
CpuSet first_set(std::initializer_list<CpuSet> sets) {
  return *std::find_if(sets.begin(), sets.end() - 1,
                       [](const CpuSet& each) { return !each.empty(); });
}

}  // namespace

CpuOffer cpu_offer() {
  CpuOffer offer{CpuSet::of_this_thread(), {}, cgroup_cpu_limit(machine_files())};
  for (const std::string& core : cpu_cores(machine_files()))
    offer.cores.emplace_back(cpu_numbers(core));
  return offer;
}

CpuChoice choose_cpus(const CpuOffer& offer, const CpuSet& generator, const CpuSet& model) {
  CpuChoice choice{generator, model, ""};
  if (choice.generator.empty()) {
    const CpuSet apart = without(offer.allowed, with_siblings(model, offer.cores));
    choice.generator = first_of(first_set({apart, without(offer.allowed, model), model}), 1);
  }
  if (!choice.model.empty()) return choice;

  const CpuSet others = without(offer.allowed, choice.generator);
  const CpuSet apart = without(others, with_siblings(choice.generator, offer.cores));
  choice.model = first_set({apart, others, choice.generator});
  std::vector<std::string> reasons;
  if (!apart.empty() && apart.size() < others.size())
    reasons.emplace_back("they are hardware threads of the generator's cores");
  if (offer.cpu_quota) {
    const double room = std::floor(*offer.cpu_quota) - static_cast<double>(choice.generator.size());
    if (room >= 1 && room < static_cast<double>(choice.model.size())) {
      choice.model = first_of(choice.model, static_cast<std::size_t>(room));
      reasons.push_back(
          fmt::format("the cgroup's CPU quota of {:.2f} CPUs would be spent", *offer.cpu_quota));
    }
  }
  if (!reasons.empty()) {
    choice.remark =
        fmt::format("the model does not get CPU {}: {}", without(others, choice.model).to_string(),
                    fmt::join(reasons, ", and beyond them "));
  }
  return choice;
}

}  // namespace precipice
