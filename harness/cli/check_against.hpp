// precipice check RUN --claims-of ORIGINAL: does RUN confirm what ORIGINAL claimed.
#pragma once

#include <string>

namespace precipice::cli {

/// Takes the directories of both runs; prints, and returns an Exit.
int check_against(const std::string& run, const std::string& claims_of, bool json);

}  // namespace precipice::cli
