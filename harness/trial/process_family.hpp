// A process and its children: what they use of the CPUs, and where they run. A PostgreSQL server
// has a process for each connection.
#pragma once

#include <netinet/in.h>
#include <sys/types.h>

#include <optional>
#include <vector>

#include "models/cpu_set.hpp"

namespace precipice {

/// The process and its children, without theirs.
std::vector<pid_t> family_of(pid_t process);

/// CPU time of the process, of its children and of those that have ended since it began. 0 where it
/// is gone.
double family_cpu_ns(pid_t process);

/// Moves the family, with all threads. Those that are gone meanwhile are left out.
void place_family(pid_t process, const CpuSet& cpus);

/// Whether the process may run on these CPUs alone. False where it is gone.
bool is_bound_to(pid_t process, const CpuSet& cpus);

/// The process that listens on this address of this machine, or nullopt: there is none, it belongs
/// to another user, or it is in a container of its own.
std::optional<pid_t> process_listening_on(const sockaddr_in& address);

}  // namespace precipice
