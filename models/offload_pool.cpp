#include "models/offload_pool.hpp"

#include <unistd.h>

#include <cerrno>
#include <new>
#include <string>

#include "models/futex_hash.hpp"
#include "models/pinned_thread.hpp"

namespace precipice {
namespace {

// Who asked for a read, kept in the operation itself.
OffloadClient*& client_of(IoOp& op) { return *reinterpret_cast<OffloadClient**>(op.engine); }

}  // namespace

OffloadPool::OffloadPool(unsigned threads, const CpuSet& cpus) {
  spread_futexes(threads);
  try {
    threads_.reserve(threads);
    for (unsigned i = 0; i < threads; ++i) {
      start_thread(threads_, "offload/" + std::to_string(i), cpus, [this] { work(); });
    }
  } catch (...) {
    stop();
    throw;
  }
}

OffloadPool::~OffloadPool() { stop(); }

void OffloadPool::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  available_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void OffloadPool::submit(OffloadClient& client, IoOp& op) noexcept {
  new (op.engine) OffloadClient*(&client);
  op.next = nullptr;
  {
    const std::lock_guard lock(mutex_);
    (tail_ != nullptr ? tail_->next : head_) = &op;
    tail_ = &op;
    queued_.fetch_add(1, std::memory_order_relaxed);
    // Under the lock: the operation may end, and with the last request this pool, as soon as it is
    // given up.
    available_.notify_one();
  }
}

void OffloadPool::cancel(OffloadClient& client) noexcept {
  IoOp* cancelled = nullptr;
  {
    const std::lock_guard lock(mutex_);
    IoOp* rest = head_;
    head_ = tail_ = nullptr;
    while (rest != nullptr) {
      IoOp* op = rest;
      rest = op->next;
      if (client_of(*op) == &client) {
        op->next = cancelled;
        cancelled = op;
        queued_.fetch_sub(1, std::memory_order_relaxed);
      } else {
        op->next = nullptr;
        (tail_ != nullptr ? tail_->next : head_) = op;
        tail_ = op;
      }
    }
  }
  while (cancelled != nullptr) {
    IoOp* op = cancelled;
    cancelled = op->next;
    client.read_finished(*op, -ECANCELED);
  }
}

void OffloadPool::work() {
  for (;;) {
    IoOp* op = nullptr;
    {
      std::unique_lock lock(mutex_);
      available_.wait(lock, [this] { return head_ != nullptr || stopping_; });
      if (head_ == nullptr) return;
      op = head_;
      head_ = op->next;
      if (head_ == nullptr) tail_ = nullptr;
      queued_.fetch_sub(1, std::memory_order_relaxed);
    }
    const IoOp::Arguments& read = op->arguments;
    ssize_t count = 0;
    do {
      count = ::pread(read.fd, read.data, read.bytes, static_cast<off_t>(read.offset));
    } while (count < 0 && errno == EINTR);
    const std::int64_t result = count < 0 ? -errno : count;
    reads_.fetch_add(1, std::memory_order_relaxed);
    client_of(*op)->read_finished(*op, result);
  }
}

}  // namespace precipice
