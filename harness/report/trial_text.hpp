// One trial as a reader sees it in the terminal.
#pragma once

#include <string>

#include "harness/trial/trial.hpp"

namespace precipice {

std::string trial_text(const Trial& trial);

}  // namespace precipice
