// Which CPUs the generator gets and which the model, where the user has not said.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/cpu_set.hpp"

namespace precipice {

/// What there is to choose from.
struct CpuOffer {
  CpuSet allowed;                   ///< not empty
  std::vector<CpuSet> cores;        ///< the hardware threads of each; empty where not shown
  std::optional<double> cpu_quota;  ///< CPUs of time that the cgroup grants
};
/// Of this process, now.
CpuOffer cpu_offer();

struct CpuChoice {
  CpuSet generator, model;
  std::string remark;  ///< which allowed CPUs the model does not get, and why, or ""
};

/// A set that is not empty was given and stays. Otherwise the generator has the first CPU, and the
/// model the others, without the hardware threads beside the generator (it spins, and they would
/// have half a core), and no more than a quota of whole CPUs lets run at once: so far as at least
/// one remains. One CPU alone is shared. Pure.
CpuChoice choose_cpus(const CpuOffer& offer, const CpuSet& generator, const CpuSet& model);

}  // namespace precipice
