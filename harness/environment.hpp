// What the machine is and how it is set, as far as it can change a number.
#pragma once

#include <optional>
#include <string>

#include "harness/trial_json.hpp"

namespace precipice {

/// CPU, kernel, limits, pressure, build: one JSON object. What cannot be read is null. Reads /proc
/// and /sys only; changes nothing.
Json environment_json();

/// Short commit of the source that this binary was built from; "nogit" outside a repository.
std::string build_git_sha();
/// Of the running executable's bytes, 16 hex digits (FNV-1a).
std::string binary_hash();
/// Where the sources were at build time: suites and results are looked for there when the working
/// directory has none.
std::string source_directory();
std::string version_text();

/// The first line of a file in /proc or /sys, or nullopt.
std::optional<std::string> first_line(const std::string& path);

/// CPU time that this process's cgroup grants, in CPUs; nullopt when it is not limited. Both
/// hierarchies, v1 and v2, are asked.
std::optional<double> cgroup_cpu_limit();

}  // namespace precipice
