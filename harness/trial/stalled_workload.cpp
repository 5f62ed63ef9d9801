#include "harness/trial/stalled_workload.hpp"

#include <algorithm>

namespace precipice {

Task<std::int64_t> StalledWorkload::pass(Io& io) const {
  const Time now = Io::now();
  if (now < from_ || now >= to_) co_return 0;
  const std::int64_t slept = co_await io.sleep(to_ - now);
  co_return slept;
}

Task<Outcome> StalledWorkload::run(Io& io, const Request& request) {
  const std::int64_t passed = co_await pass(io);
  if (passed < 0) co_return Outcome::failed(passed);
  const Outcome outcome = co_await inner_.run(io, request);
  co_return outcome;
}

Task<void> StalledWorkload::run_many(Io& io, std::span<const Request> requests,
                                     std::span<Outcome> outcomes) {
  const std::int64_t passed = co_await pass(io);
  if (passed < 0) {
    std::fill(outcomes.begin(), outcomes.end(), Outcome::failed(passed));
    co_return;
  }
  co_await inner_.run_many(io, requests, outcomes);
}

}  // namespace precipice
