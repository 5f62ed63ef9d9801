// One listening socket for each executor, on one port (SO_REUSEPORT): the kernel spreads the
// connections by a hash of their addresses, and each executor accepts its own, by its own Io.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "harness/serve/connection_table.hpp"
#include "harness/serve/listener.hpp"
#include "harness/serve/service.hpp"
#include "models/model.hpp"

namespace precipice::serve {

class NativeAcceptors {
 public:
  /// All of them outlive it. `listeners`: one for each executor.
  NativeAcceptors(std::vector<Listener> listeners, Model& model, Service& service,
                  ConnectionTable& table);
  NativeAcceptors(const NativeAcceptors&) = delete;
  NativeAcceptors& operator=(const NativeAcceptors&) = delete;

  /// The service's job, and that of accepting: what the model is started with.
  Job job();
  /// Accepts from now on. After the model's start. Throws Unavailable.
  void start();
  /// No connection is accepted after it, or soon after it. Can be repeated.
  void stop() noexcept;

  /// As of Acceptor. Thread-safe.
  std::uint64_t accepted() const noexcept { return accepted_.load(std::memory_order_relaxed); }
  std::uint64_t without_place() const noexcept {
    return without_place_.load(std::memory_order_relaxed);
  }

 private:
  // Ids from here on are of accepting, and congruent to their executor.
  std::uint64_t first_id() const {
    const std::uint64_t executors = listeners_.size();
    return (std::uint64_t{1} << 62) / executors * executors;
  }

  static Task<void> run(void* self, Io& io, Request request);
  static void refuse(void* self, const Request& request, Refusal why) noexcept;
  Task<void> accept(Io& io, unsigned executor);
  void place(int fd, unsigned executor) noexcept;

  std::mutex releasing_;  ///< of a listener, against stop(): its number may be another's afterwards
  std::vector<Listener> listeners_;
  Model& model_;
  Service& service_;
  ConnectionTable& table_;
  const Job job_;  ///< of the service
  std::atomic<std::uint64_t> accepted_{0}, without_place_{0};
};

}  // namespace precipice::serve
