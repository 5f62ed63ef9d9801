#include "harness/trial/rpc_backend_meter.hpp"

#include <algorithm>
#include <utility>

#include "models/io.hpp"

namespace precipice {

void BackendMeter::serving_thread(pthread_t thread) {
  clockid_t clock{};
  if (pthread_getcpuclockid(thread, &clock) == 0) clock_ = clock;
}

void BackendMeter::begin_interval() {
  const std::lock_guard lock(mutex_);
  lags_ = Histogram();
  refused_ = 0;
  interval_begin_ = Io::now();
  cpu_begin_ = cpu_time();
  work_begin_ = work();
}

BackendReport BackendMeter::report() const {
  BackendReport result;
  const std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
  result.requests = lags_.count();
  if (lags_.count() > 0) {
    result.lag_p50_ns = lags_.percentile(50);
    result.lag_p99_ns = lags_.percentile(99);
    result.lag_max_ns = lags_.max();
  }
  const auto wall = static_cast<double>((Io::now() - interval_begin_).count());
  const Nanos cpu = cpu_time() - cpu_begin_;
  const Nanos used = polls_ ? work() - work_begin_ : cpu;
  result.busy = wall > 0 ? std::clamp(static_cast<double>(used.count()) / wall, 0.0, 1.0) : 0;
  result.polled = polls_;
  if (own_thread_) result.cpu_ns = static_cast<double>(cpu.count());
  result.connections = connections_;
  result.refused = refused_;
  return result;
}

Time BackendMeter::worked(Time since) {
  const Time time = Io::now();
  work_ns_.store((work() + (time - since)).count(), std::memory_order_relaxed);
  return time;
}

void BackendMeter::publish() {
  if (lags_now_.empty() && refused_now_ == 0 && open_ == open_published_) return;
  const std::lock_guard lock(mutex_);
  for (const std::int64_t lag : lags_now_) lags_.record(lag);
  lags_now_.clear();
  refused_ += std::exchange(refused_now_, 0);
  connections_ = open_published_ = open_;
}

void BackendMeter::died(std::exception_ptr cause) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(cause);
}

/// Of the serving thread, from any thread.
Nanos BackendMeter::cpu_time() const {
  timespec time{};
  if (!clock_ || clock_gettime(*clock_, &time) != 0) return Nanos(0);
  return std::chrono::seconds(time.tv_sec) + Nanos(time.tv_nsec);
}

}  // namespace precipice
