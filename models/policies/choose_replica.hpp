// choose by replica: which of a downstream's replicas serves an attempt.
#pragma once

#include <memory>

#include "models/policies/policy.hpp"

namespace precipice {

/// Of the options of `choose` with by=replica. Throws UsageError.
std::unique_ptr<Policy> make_replica_choice(const Options& options, std::unique_ptr<Model> inner,
                                            Timeline* timeline);

}  // namespace precipice
