// What an artifact's reader has to know before running it: hardware, software, steps, time, disk.
#pragma once

#include <cstdint>
#include <string>

#include "harness/store/run_reader.hpp"

namespace precipice {

/// Markdown, from the run alone. `name` is the archive's, `bytes` what is in it unpacked.
std::string artifact_description(const RunArchive& run, const std::string& name,
                                 std::uint64_t bytes);

}  // namespace precipice
