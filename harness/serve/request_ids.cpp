#include "harness/serve/request_ids.hpp"

#include <numeric>

namespace precipice::serve {

RequestIds::RequestIds(std::uint32_t count, Reuse reuse)
    : reuse_(reuse), states_(count), queue_(count), queued_(count) {
  std::iota(queue_.begin(), queue_.end(), 0U);
  for (auto& state : states_) state.store(kFree, std::memory_order_relaxed);
}

std::optional<std::uint32_t> RequestIds::take() {
  std::uint32_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    if (queued_ == 0) return std::nullopt;
    id = queue_[first_];
    first_ = (first_ + 1) % queue_.size();
    --queued_;
  }
  // An attempt that its policy decided on just before the request ended may still be under way.
  state(id).fetch_xor(kRequest | kFree, std::memory_order_acq_rel);
  return id;
}

void RequestIds::ended(std::uint64_t id) noexcept {
  if (reuse_ == Reuse::never) return;
  state(id).fetch_and(~kRequest, std::memory_order_acq_rel);
  free_if_unused(id);
}

void RequestIds::attempt_begun(std::uint64_t id) noexcept {
  if (reuse_ == Reuse::never) return;
  state(id).fetch_add(1, std::memory_order_relaxed);
}

void RequestIds::attempt_ended(std::uint64_t id) noexcept {
  if (reuse_ == Reuse::never) return;
  state(id).fetch_sub(1, std::memory_order_acq_rel);
  free_if_unused(id);
}

void RequestIds::free_if_unused(std::uint64_t id) noexcept {
  std::uint32_t unused = 0;
  if (!state(id).compare_exchange_strong(unused, kFree, std::memory_order_acq_rel)) return;
  const std::lock_guard lock(mutex_);
  queue_[(first_ + queued_) % queue_.size()] = static_cast<std::uint32_t>(id % states_.size());
  ++queued_;
}

}  // namespace precipice::serve
