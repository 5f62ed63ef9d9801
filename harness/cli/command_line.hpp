// From the words of the command line to the verb that they name.
#pragma once

#include "harness/cli/verb.hpp"

namespace precipice::cli {

/// Parses `argv`, whose first word is the program, and runs the verb; or prints --help or
/// --version. Returns an Exit. Throws UsageError for words that are wrong, and what the verb
/// throws.
int run_command_line(const Words& argv);

}  // namespace precipice::cli
