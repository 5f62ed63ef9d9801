// What built this program, and from what.
#pragma once

#include <string>

#include "harness/json.hpp"

namespace precipice {

/// Short commit of the source that this binary was built from; "nogit" outside a repository.
std::string build_git_sha();
/// Of the running executable's bytes, 16 hex digits (FNV-1a).
std::string binary_hash();
/// Where the sources were at build time: suites and results are looked for there when the working
/// directory has none.
std::string source_directory();
std::string version_text();

/// Sanitizers among compiler flags, as in "address,undefined"; "" for none.
std::string sanitizers_in(const std::string& flags);

/// Version, commit, compiler, flags, hash of the executable and versions of the libraries.
Json build_json();

}  // namespace precipice
