#include "harness/serve/server_metrics.hpp"

#include <algorithm>
#include <numeric>

namespace precipice::serve {
namespace {

// The first threads have stripes to themselves, so many as keep that many CPUs apart; the others
// share as many by turns.
constexpr std::size_t kThreadStripes = 16;

std::size_t number_of_this_thread() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t own = next.fetch_add(1, std::memory_order_relaxed);
  return own;
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
    : executors_(executors), stripes_(executors == 1 ? 2 * kThreadStripes : executors) {}

ServerMetrics::Place ServerMetrics::here(unsigned executor) noexcept {
  if (executors_ > 1) return {stripes_[executor], true};  // each has one thread
  const std::size_t thread = number_of_this_thread();
  const bool alone = thread < kThreadStripes;
  return {stripes_[alone ? thread : kThreadStripes + thread % kThreadStripes], alone};
}

void ServerMetrics::begun(unsigned executor) noexcept {
  const Place place = here(executor);
  place.add(place.stripe.requests, 1);
}

void ServerMetrics::answered(unsigned executor, http::Status status, Nanos response) noexcept {
  const Place place = here(executor);
  const std::int64_t ns = std::max<std::int64_t>(response.count(), 0);
  std::size_t bucket = 0;
  while (bucket < kResponseBounds.size() && ns > kResponseBounds[bucket]) ++bucket;
  place.add(place.stripe.by_status[http::index_of(status)], 1);
  place.add(place.stripe.response_sum_ns, static_cast<std::uint64_t>(ns));
  place.add(place.stripe.responses[bucket], 1);
}

void ServerMetrics::abandoned(unsigned executor) noexcept {
  const Place place = here(executor);
  place.add(place.stripe.abandoned, 1);
}

void ServerMetrics::malformed(unsigned executor, http::Status status) noexcept {
  const Place place = here(executor);
  place.add(place.stripe.malformed, 1);
  place.add(place.stripe.by_status[http::index_of(status)], 1);
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
  if (executors_ == 1) return sum().requests;
  return stripes_[executor].requests.load(std::memory_order_relaxed);
}

}  // namespace precipice::serve
