#include "harness/host/wake_up.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "harness/json.hpp"
#include "models/new_thread.hpp"

namespace precipice {

std::vector<std::int64_t> measure_wake_ups(const CpuSet& cpus, int sleeps, Nanos length,
                                           Nanos most) {
  std::vector<std::int64_t> late_ns;
  late_ns.reserve(static_cast<std::size_t>(std::max(0, sleeps)));
  // A thread of its own: neither affinity nor timer slack of the caller changes.
  const auto measure = [&] {
    try {
      if (!cpus.empty()) pin_this_thread(cpus);
    } catch (const std::exception&) {
      return;
    }
    remove_timer_slack();
    const auto now_ns = [] { return Clock::now().time_since_epoch().count(); };
    const std::int64_t end = now_ns() + most.count();
    for (int i = 0; i < sleeps; ++i) {
      const std::int64_t due = now_ns() + length.count();
      if (due > end) break;
      const timespec until{due / 1'000'000'000, due % 1'000'000'000};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
      late_ns.push_back(now_ns() - due);
    }
  };
  try {
    new_thread("the thread that measures wake-ups", measure).join();
  } catch (const Unavailable&) {
    // No thread to be had: how late it would be is not known.
  }
  return late_ns;
}

Json wake_ups_json(std::vector<std::int64_t> late_ns, Nanos length) {
  std::sort(late_ns.begin(), late_ns.end());
  const auto at = [&](double share) -> Json {
    if (late_ns.empty()) return nullptr;
    const auto rank =
        static_cast<std::size_t>(std::ceil(share * static_cast<double>(late_ns.size())));
    return late_ns[std::max<std::size_t>(rank, 1) - 1];
  };
  return {{"sleeps", late_ns.size()}, {"length_ns", length.count()},
          {"p50", at(0.5)},           {"p90", at(0.9)},
          {"p99", at(0.99)},          {"max", at(1)}};
}

}  // namespace precipice
