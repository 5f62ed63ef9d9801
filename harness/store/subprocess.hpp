// Programs that every Debian has, called instead of being written again.
#pragma once

#include <string>
#include <vector>

namespace precipice {

/// Runs argv[0], found on the PATH, in `directory` until it ends, and returns what it wrote to
/// stdout; its stderr is the caller's. Throws Unavailable when there is no such program, and
/// std::runtime_error with its exit code when it fails.
std::string run_tool(const std::vector<std::string>& argv, const std::string& directory);

}  // namespace precipice
