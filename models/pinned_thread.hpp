// Starting the pinned threads of loops, rings and offload pools.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "models/cpu_set.hpp"

namespace precipice {

/// Adds a thread that runs `body`, named, pinned to `cpus`, with exact timers. Returns when it is
/// pinned. Throws Unavailable when it cannot be made or pinned; nothing is then added.
void start_thread(std::vector<std::thread>& threads, const std::string& name, const CpuSet& cpus,
                  std::function<void()> body);

}  // namespace precipice
