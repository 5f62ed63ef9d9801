// Where the server programs of workloads are installed.
#pragma once

#include <optional>
#include <string>

namespace precipice {

/// The path of redis-server by $PATH, or nullopt.
std::optional<std::string> redis_server_program();

/// The directory that holds `postgres` and `initdb`: $PRECIPICE_POSTGRES_BIN where it is set, else
/// the newest of /usr/lib/postgresql/*/bin, where Debian puts them; or nullopt.
std::optional<std::string> postgres_program_directory();

}  // namespace precipice
