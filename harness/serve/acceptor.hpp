// Accepts connections on a thread of its own and hands each to the model.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "harness/serve/connection_table.hpp"
#include "harness/serve/listener.hpp"
#include "harness/serve/service.hpp"
#include "models/cpu_set.hpp"
#include "models/model.hpp"

namespace precipice::serve {

class Acceptor {
 public:
  /// Accepts from now on, on `cpus`. All of them outlive it; the model has started. Throws
  /// Unavailable.
  Acceptor(const Listener& listener, Model& model, Service& service, ConnectionTable& table,
           const CpuSet& cpus);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor() { stop(); }

  /// No connection is accepted after it. Can be repeated.
  void stop() noexcept;

  /// Thread-safe: connections accepted, and those of them that were closed for want of a place or
  /// of a descriptor.
  std::uint64_t accepted() const noexcept { return accepted_.load(std::memory_order_relaxed); }
  std::uint64_t without_place() const noexcept {
    return without_place_.load(std::memory_order_relaxed);
  }

 private:
  void run();
  /// False: nothing more waits to be accepted, for now.
  bool accept_one();
  void place(int fd);
  void sacrifice_reserve();

  const int listener_;
  Model& model_;
  Service& service_;
  ConnectionTable& table_;
  int stop_fd_ = -1;
  int reserve_fd_ = -1;
  std::atomic<std::uint64_t> accepted_{0}, without_place_{0};
  std::thread thread_;
};

}  // namespace precipice::serve
