// A directory for what is needed while the program runs, and not afterwards.
#pragma once

#include <string>

#include "harness/store/durable_file.hpp"
#include "workloads/descriptor.hpp"

namespace precipice {

/// Made under $TMPDIR, or /tmp where that is not set; locked while it is there, and gone with the
/// object. Not thread-safe.
class TemporaryDirectory {
 public:
  /// `prefix` begins its name. Directories with that prefix which processes that were killed have
  /// left are removed. Throws CannotWrite, which names TMPDIR.
  explicit TemporaryDirectory(const std::string& prefix);
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  /// Absolute.
  const std::string& path() const { return path_; }
  /// The same failure to write something in it, with the cure for that: another TMPDIR.
  CannotWrite has_no_room(const CannotWrite& failed) const;

 private:
  std::string path_;
  Descriptor lock_;
};

}  // namespace precipice
