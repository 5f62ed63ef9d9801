// The file that the `file` workload reads: made once, found again by later trials, checked on the
// way in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "workloads/descriptor.hpp"

namespace precipice {

/// What the file holds at byte `offset` (a multiple of 8) and onwards: a function of the position
/// alone, so that a block read from the wrong place has the wrong digest.
void fill_file_content(std::uint64_t offset, std::span<std::byte> bytes);

/// Makes sure that `directory` holds a test file of `size` bytes (a multiple of 4,096) and returns
/// its path; the name carries the size and the version of the content. An existing file is kept
/// when its size and a sample of its blocks are right, else made again: under a temporary name,
/// synced, then renamed, so that a half-written one is never taken for whole; what a process that
/// was killed left of one is removed. Leaves nothing of it in the page cache. Throws Unavailable,
/// with the cure, when the directory has no room or cannot be written. `may_give_up`, if given, is
/// called at every MiB; when it throws, nothing is left.
std::string ensure_block_file(const std::string& directory, std::uint64_t size,
                              const std::function<void()>& may_give_up = nullptr);

enum class DirectIo { automatic, on, off };

/// The file, open for reading.
class BlockFile {
 public:
  BlockFile() = default;
  /// Opens `path` with O_DIRECT where the filesystem takes it for blocks of `block` bytes. With
  /// `on` it must: throws Unavailable if it does not, or if the file cannot be opened.
  BlockFile(const std::string& path, DirectIo direct, std::size_t block);

  int fd() const { return file_.get(); }
  bool direct() const { return direct_; }
  /// Why reads go through the page cache, or "".
  const std::string& why_cached() const { return why_cached_; }
  /// Where a read that came back short may go on: at multiples of this many bytes.
  std::size_t alignment() const { return direct_ ? 512 : 1; }

 private:
  Descriptor file_;
  bool direct_ = false;
  std::string why_cached_;
};

}  // namespace precipice
