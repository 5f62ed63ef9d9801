// The few threads on which an event loop does what cannot be polled: reads of regular files.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "models/cpu_set.hpp"
#include "models/io.hpp"

namespace precipice {

inline constexpr std::string_view kOffloadThreadsDefault = "4";  // as many as libuv starts

/// Whoever wants to hear of finished reads. `read_finished` is called on a pool thread, or by
/// `cancel`, once for each operation that `submit` took.
class OffloadClient {
 public:
  virtual void read_finished(IoOp& op, std::int64_t result) noexcept = 0;

 protected:
  ~OffloadClient() = default;
};

/// An unbounded queue of reads and the threads that perform them. All members are thread-safe,
/// except that the destructor (which joins) is called when every read has finished.
class OffloadPool {
 public:
  /// Throws Unavailable when a thread cannot be made or pinned.
  OffloadPool(unsigned threads, const CpuSet& cpus);
  OffloadPool(const OffloadPool&) = delete;
  OffloadPool& operator=(const OffloadPool&) = delete;
  ~OffloadPool();

  /// Takes a read operation; uses op.next and op.engine until it has finished.
  void submit(OffloadClient& client, IoOp& op) noexcept;
  /// Ends this client's reads that no thread has begun with -ECANCELED, in this call. Those that
  /// have begun end by themselves.
  void cancel(OffloadClient& client) noexcept;

  unsigned threads() const { return static_cast<unsigned>(threads_.size()); }
  std::uint64_t reads() const noexcept { return reads_.load(std::memory_order_relaxed); }
  std::uint64_t queued() const noexcept { return queued_.load(std::memory_order_relaxed); }

 private:
  void work();
  void stop() noexcept;

  std::mutex mutex_;
  std::condition_variable available_;
  IoOp* head_ = nullptr;
  IoOp* tail_ = nullptr;
  bool stopping_ = false;
  std::atomic<std::uint64_t> reads_{0};
  std::atomic<std::uint64_t> queued_{0};
  std::vector<std::thread> threads_;
};

}  // namespace precipice
