// An rpc backend in each of its arrangements, for the same tests: with a thread of its own, or
// served by a thread that does nothing else, as a generator does it between two arrivals.
#pragma once

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "harness/trial/rpc_backend.hpp"
#include "models/io.hpp"

namespace precipice::testing {

struct BackendArrangement {
  BackendThread thread = BackendThread::own;
  Nanos margin{0};  ///< of serve_until: 0 sleeps, more polls
};

inline std::string name_of(const BackendArrangement& arrangement) {
  if (arrangement.thread == BackendThread::own) return "OwnThread";
  return arrangement.margin > Nanos(0) ? "CallersThreadPolls" : "CallersThreadSleeps";
}

inline const BackendArrangement kBackendArrangements[] = {
    {BackendThread::own, Nanos(0)},
    {BackendThread::callers, Nanos(0)},
    {BackendThread::callers, std::chrono::hours(1)},
};

class ServedBackend {
 public:
  explicit ServedBackend(const BackendArrangement& arrangement) {
    if (arrangement.thread == BackendThread::own) {
      backend_.emplace(CpuSet());
      return;
    }
    std::promise<void> ready;
    thread_ = std::thread([this, &ready, margin = arrangement.margin] {
      backend_.emplace(CpuSet(), BackendThread::callers);
      ready.set_value();
      for (State state; (state = state_) != State::end;) {
        if (state == State::stop) {
          backend_->stop();
          state_ = State::stopped;
          state_.notify_all();
        }
        backend_->serve_until(Io::now() + std::chrono::milliseconds(1), margin);
      }
    });
    ready.get_future().wait();
  }
  ServedBackend(const ServedBackend&) = delete;
  ServedBackend& operator=(const ServedBackend&) = delete;
  ~ServedBackend() {
    state_ = State::end;
    if (thread_.joinable()) thread_.join();
  }

  void stop() {
    if (!thread_.joinable()) {
      backend_->stop();
      return;
    }
    state_ = State::stop;
    state_.wait(State::stop);
  }
  sockaddr_in address() const { return backend_->address(); }
  void begin_interval() { backend_->begin_interval(); }
  BackendReport report() const { return backend_->report(); }

 private:
  enum class State { serve, stop, stopped, end };
  std::optional<Backend> backend_;
  std::atomic<State> state_{State::serve};
  std::thread thread_;
};

}  // namespace precipice::testing
