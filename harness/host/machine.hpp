// What the machine is and how it is set, as its own /proc and /sys tell it.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "harness/host/proc_text.hpp"
#include "harness/json.hpp"

namespace precipice {

/// {"cpu", "kernel", "scheduling", "virtualisation", "memory", "cgroup", "limits", "threads",
/// "steal_ticks", "pressure", "load", "network"}: see results/README.md. What a machine does not
/// show is null. Only `files` is asked: the same texts give the same answer anywhere. Never throws
/// for what a file holds or lacks.
Json machine_json(const MachineFiles& files);

/// The hardware threads of each core, as in "0,2"; empty where they are not shown.
std::set<std::string> cpu_cores(const MachineFiles& files);

/// CPU time that the cgroups of this process grant, in CPUs, the least of all ancestors and of both
/// hierarchies, v1 and v2; nullopt when it is not limited.
std::optional<double> cgroup_cpu_limit(const MachineFiles& files);

}  // namespace precipice
