// Page-aligned memory for reads and replies, recycled so that a request costs no trip to the
// kernel's allocator.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace precipice {

/// Blocks aligned to 4,096 bytes (what O_DIRECT asks for), rounded up to whole pages and kept for
/// the next loan of the same size. Not thread-safe unless made so: a loop's own pool needs no lock.
class BufferPool {
 public:
  static constexpr std::size_t kPage = 4096;
  /// Bounds what an idle executor holds back: 1,024 blocks of the usual 4 KiB are 4 MiB.
  static constexpr std::size_t kKeptPerSize = 1024;

  explicit BufferPool(bool shared_by_threads) : shared_(shared_by_threads) {}
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool() {
    for (auto& [size, blocks] : free_) {
      for (std::byte* block : blocks) std::free(block);
    }
  }

  static constexpr std::size_t rounded(std::size_t bytes) {
    return bytes == 0 ? kPage : (bytes + kPage - 1) / kPage * kPage;
  }

  /// At least `bytes`. Throws std::bad_alloc.
  std::byte* lend(std::size_t bytes) {
    const std::size_t size = rounded(bytes);
    {
      const auto lock = guard();
      const auto found = free_.find(size);
      if (found != free_.end() && !found->second.empty()) {
        std::byte* block = found->second.back();
        found->second.pop_back();
        return block;
      }
    }
    void* block = std::aligned_alloc(kPage, size);
    if (block == nullptr) throw std::bad_alloc();
    return static_cast<std::byte*>(block);
  }

  /// `bytes` as it was asked for.
  void give_back(std::byte* block, std::size_t bytes) noexcept {
    {
      const auto lock = guard();
      try {
        std::vector<std::byte*>& blocks = free_[rounded(bytes)];
        if (blocks.size() < kKeptPerSize) {
          blocks.push_back(block);
          return;
        }
      } catch (const std::bad_alloc&) {  // no memory to remember it by: let it go
      }
    }
    std::free(block);
  }

 private:
  std::unique_lock<std::mutex> guard() {
    return shared_ ? std::unique_lock(mutex_) : std::unique_lock(mutex_, std::defer_lock);
  }

  const bool shared_;
  std::mutex mutex_;
  std::map<std::size_t, std::vector<std::byte*>> free_;
};

}  // namespace precipice
