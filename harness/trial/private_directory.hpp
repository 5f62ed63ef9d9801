// A temporary directory of this process, with everything in it removed in the end.
#pragma once

#include <string>
#include <string_view>

#include "workloads/descriptor.hpp"

namespace precipice {

/// In $TMPDIR, or /tmp. Others may pass through it, to what they own inside, and may not list it.
/// Where its process is killed the next one that makes one of the same prefix removes it.
class PrivateDirectory {
 public:
  /// `prefix` begins its name. Throws Unavailable.
  explicit PrivateDirectory(std::string_view prefix);
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;
  ~PrivateDirectory();

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Descriptor held_;  ///< a lock on it, which says that its process lives
};

}  // namespace precipice
