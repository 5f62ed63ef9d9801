// Who is still writing a file: whoever makes one holds a lock on it, which ends with the process.
#pragma once

#include <string>

namespace precipice {

enum class Locked {
  yes,
  by_another,   ///< somebody else holds it
  unsupported,  ///< the file system has no locks, so nothing is known
};

/// An exclusive lock on an open file or directory, without waiting for it; it is given back when
/// the descriptor is closed, by the kernel at the latest. Thread-safe.
Locked lock_file(int fd) noexcept;

/// Whether `path` still names the file that is open as `fd`, which another process may have renamed
/// or removed before it was locked.
bool still_names(const std::string& path, int fd) noexcept;

/// Removes the file, or the directory with everything in it, if it is this user's and nobody holds
/// a lock on it; a link is no file. False when it is still there. Never throws: what cannot be
/// looked at stays.
bool remove_abandoned(const std::string& path) noexcept;

}  // namespace precipice
