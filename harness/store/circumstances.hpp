// What decides the trials of a plan besides the plan and the program, and stays as it is for as
// long as nobody changes it: a run that was begun under other circumstances is not continued.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "harness/capacity/plan.hpp"
#include "harness/json.hpp"

namespace precipice {

/// (what it is, its value): the machine and its kernel by `environment`, which is of
/// environment_json; the scratch directory of workloads that read files; and what the loader and
/// the allocator are told by environment variables. Empty on the virtual clock, which passes alike
/// everywhere. Settings that move while a machine runs are no part of it: differences() names them.
std::vector<std::pair<std::string, std::string>> circumstances_of(const Plan& plan,
                                                                  const Json& environment);

/// Settings of the machine that have changed from one environment_json to a later one, each with
/// what that does, without what counts on or moves by itself.
std::vector<std::string> changed_settings(Json before, const Json& after);

/// The part that is read from a list of `NAME=VALUE`: those that replace or tune the C library, the
/// allocator, or the pools of oneTBB, sorted.
std::string loader_settings(const char* const* variables);

}  // namespace precipice
