// Keeps idle connections away from a model whose threads they would hold: between requests nothing
// runs for them, and when the next one arrives the connection is submitted again.
#pragma once

#include <thread>

#include "harness/serve/connection_table.hpp"
#include "harness/serve/service.hpp"
#include "models/model.hpp"
#include "workloads/descriptor.hpp"

namespace precipice::serve {

/// One thread that waits for all parked connections, in epoll. Thread-safe.
class Parking {
 public:
  /// Both outlive it. Throws Unavailable.
  Parking(Model& model, Service& service, ConnectionTable& table);
  Parking(const Parking&) = delete;
  Parking& operator=(const Parking&) = delete;
  ~Parking() { stop(); }

  /// Watches an idle connection, which is the caller's last touch of it: another thread may go on
  /// with it before this returns. False: it is not watched, and stays the caller's.
  bool park(Slot& slot) noexcept;
  /// Nothing is submitted after it; what is parked then stays until the table closes it. Requests
  /// may still park, so the descriptors live as long as this. Can be repeated.
  void stop() noexcept;

 private:
  void run() noexcept;

  Model& model_;
  Service& service_;
  ConnectionTable& table_;
  const Descriptor epoll_;
  const Descriptor stop_;
  std::thread thread_;
};

}  // namespace precipice::serve
