// How many further attempts a policy may make: a share of the requests, as a token bucket.
#pragma once

#include <algorithm>
#include <mutex>

namespace precipice {

/// Every request adds `share` tokens, a further attempt takes one. The bucket starts with its
/// capacity of 10 tokens, so that the first attempts need not wait for many requests; the capacity
/// bounds the burst of attempts after a period without any. Thread-safe.
class TokenBudget {
 public:
  /// A share of 1 or more is no bound.
  explicit TokenBudget(double share) : share_(share), tokens_(kSaved) {}

  void earn() noexcept {
    if (share_ >= 1) return;
    const std::lock_guard lock(mutex_);
    tokens_ = std::min(kSaved, tokens_ + share_);
  }
  bool spend() noexcept {
    if (share_ >= 1) return true;
    const std::lock_guard lock(mutex_);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  static constexpr double kSaved = 10;

  const double share_;
  std::mutex mutex_;
  double tokens_;
};

}  // namespace precipice
