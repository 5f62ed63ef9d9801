#include "harness/serve/server_metrics.hpp"

#include <algorithm>
#include <numeric>

namespace precipice::serve {
namespace {

// Threads share them by turns; 16 keep as many CPUs apart.
constexpr std::size_t kThreadStripes = 16;

std::size_t stripe_of_this_thread() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t own = next.fetch_add(1, std::memory_order_relaxed);
  return own % kThreadStripes;
}

}  // namespace

std::uint64_t ServerCounts::in_flight() const {
  const std::uint64_t ended = answered() + abandoned;
  return requests > ended ? requests - ended : 0;
}

std::uint64_t ServerCounts::answered() const {
  return std::accumulate(responses.begin(), responses.end(), std::uint64_t{0});
}

ServerMetrics::ServerMetrics(unsigned executors)
    : by_thread_(executors == 1), stripes_(by_thread_ ? kThreadStripes : executors) {}

ServerMetrics::Stripe& ServerMetrics::at(unsigned executor) noexcept {
  return stripes_[by_thread_ ? stripe_of_this_thread() : executor];
}

void ServerMetrics::answered(unsigned executor, http::Status status, Nanos response) noexcept {
  Stripe& stripe = at(executor);
  const std::int64_t ns = std::max<std::int64_t>(response.count(), 0);
  std::size_t bucket = 0;
  while (bucket < kResponseBounds.size() && ns > kResponseBounds[bucket]) ++bucket;
  add(stripe.by_status[http::index_of(status)], 1);
  add(stripe.response_sum_ns, static_cast<std::uint64_t>(ns));
  add(stripe.responses[bucket], 1);
}

void ServerMetrics::malformed(unsigned executor, http::Status status) noexcept {
  Stripe& stripe = at(executor);
  add(stripe.malformed, 1);
  add(stripe.by_status[http::index_of(status)], 1);
}

ServerCounts ServerMetrics::sum() const {
  ServerCounts total;
  const auto get = [](const std::atomic<std::uint64_t>& count) {
    return count.load(std::memory_order_relaxed);
  };
  for (const Stripe& stripe : stripes_) {
    total.requests += get(stripe.requests);
    total.abandoned += get(stripe.abandoned);
    total.malformed += get(stripe.malformed);
    total.response_sum_ns += get(stripe.response_sum_ns);
    for (std::size_t i = 0; i < total.by_status.size(); ++i)
      total.by_status[i] += get(stripe.by_status[i]);
    for (std::size_t i = 0; i < total.responses.size(); ++i)
      total.responses[i] += get(stripe.responses[i]);
  }
  return total;
}

std::uint64_t ServerMetrics::requests_on(unsigned executor) const {
  if (by_thread_) return sum().requests;
  return stripes_[executor].requests.load(std::memory_order_relaxed);
}

}  // namespace precipice::serve
