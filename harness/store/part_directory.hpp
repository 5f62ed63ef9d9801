// A directory that is seen under its name only when it is whole.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "workloads/descriptor.hpp"

namespace precipice {

/// What is not finished is called so: NAME.part.
inline constexpr const char* kPartSuffix = ".part";

/// Removes the parts in `directory` that nobody writes any more: what a process that was killed has
/// left. For directories of this program's own; where they cannot be locked they stay.
void remove_abandoned_parts(const std::string& directory) noexcept;

/// Filled as NAME.part, locked for as long as that takes, and removed unless it was given a name.
/// Not thread-safe.
class PartDirectory {
 public:
  /// Makes NAME.part, in place of one that was abandoned; nullptr when another process is at it.
  /// Throws CannotWrite.
  static std::unique_ptr<PartDirectory> make(const std::string& name);
  PartDirectory(const PartDirectory&) = delete;
  PartDirectory& operator=(const PartDirectory&) = delete;
  ~PartDirectory();

  /// Where it is to be filled.
  const std::string& path() const { return part_; }
  /// Renames it, on disk when it returns; false when the name is taken. Throws CannotWrite.
  bool take_name(const std::string& name);
  /// The same in place of the directory that has the name, if there is one, in one step where the
  /// file system can exchange two names. Throws CannotWrite.
  void replace(const std::string& name);

 private:
  PartDirectory(std::string part, Descriptor lock)
      : part_(std::move(part)), lock_(std::move(lock)) {}

  std::string part_;
  Descriptor lock_;
  bool named_ = false;
};

}  // namespace precipice
