// Creating an io_uring with the best that this kernel offers, and saying why when it offers less.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "models/cpu_set.hpp"
#include "models/io.hpp"

namespace precipice {

/// An open ring. Owned and used by the thread that made it; destroyed on that thread.
class RingHandle {
 public:
  /// `entries` is the size of the submission queue, `completions` that of the completion queue;
  /// the kernel rounds both up to powers of two. Throws Unavailable with the reason and the cure.
  RingHandle(unsigned entries, unsigned completions);
  RingHandle(const RingHandle&) = delete;
  RingHandle& operator=(const RingHandle&) = delete;
  ~RingHandle();

  io_uring* get() { return &ring_; }
  /// Features that the ring lacks because the kernel or a limit refused them, one sentence each.
  const std::vector<std::string>& fallbacks() const { return fallbacks_; }

  /// At most `workers` kernel threads for what cannot be done without blocking, on `cpus`: an
  /// uncapped ring silently becomes a thread pool.
  void cap_workers(unsigned workers, const CpuSet& cpus);
  /// Registers descriptors; `fixed_file` then finds them.
  void register_files(const std::vector<int>& files);
  /// The index of a registered descriptor, or -1.
  int fixed_file(int descriptor) const {
    const auto index = static_cast<std::size_t>(descriptor);
    return index < fixed_files_.size() ? fixed_files_[index] : -1;
  }
  /// Registers one stretch of memory as buffer 0. False when the kernel refuses (memlock).
  bool register_buffer(std::byte* data, std::size_t bytes);

 private:
  io_uring ring_{};
  std::vector<std::string> fallbacks_;
  std::vector<int> fixed_files_;  // by descriptor
};

/// Why io_uring cannot be used on this machine, with the cure; nullopt when it can.
std::optional<std::string> ring_unavailable();

/// Kernel threads that work for the ring of the thread `owner` (a thread id), as /proc shows them.
unsigned ring_workers(int owner);

}  // namespace precipice
