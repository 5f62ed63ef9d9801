// What a shell needs to complete the command line, made from the command line itself.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace precipice::cli {

/// A script for bash, zsh or fish: verbs, their options, the values that an option knows, suites
/// and runs. Throws UsageError for another shell.
std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace precipice::cli
