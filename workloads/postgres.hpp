// What the workload postgres is made by: from libpq where the program was built with it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "models/options.hpp"
#include "workloads/workload.hpp"

namespace precipice {

/// Throws UsageError. Where the program was built without libpq, its prepare throws Unavailable.
std::unique_ptr<Workload> make_postgres(const Options& options);

/// Why it was built without libpq, and what to do, or nullopt.
std::optional<std::string> postgres_left_out();

}  // namespace precipice
