// One archive of a run: what another needs to read it, to check it and to repeat it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/store/run_reader.hpp"

namespace precipice {

struct BundleOptions {
  std::string out;  ///< a file, a directory, or "": SUITE-TIME-GITSHA.tar.gz here
  bool anonymous = false;
  std::vector<std::string> hidden;  ///< further words that must not appear
};

struct Bundle {
  std::string file, sha256;
  std::uint64_t bytes = 0;
  int files = 0;
  std::vector<std::string> left_out;  ///< what could not be made anonymous, and why
};

/// Writes NAME/ARTIFACT.md, NAME/SHA256SUMS and NAME/run/ (the run's files, figures and report
/// included; figures are drawn where there are none) into a tar.gz. The same run gives the same
/// bytes: names sorted, times and owners fixed. Throws CannotWrite, Unavailable (no tar or
/// sha256sum), UsageError.
Bundle write_bundle(const RunArchive& run, const BundleOptions& options);

}  // namespace precipice
