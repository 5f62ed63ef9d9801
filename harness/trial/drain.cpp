#include "harness/trial/drain.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace precipice {

Time wait_for_drain(const Model& model, Time deadline, const std::atomic<bool>* stop,
                    Backend* backend, Nanos margin) {
  constexpr Nanos kLook = std::chrono::milliseconds(1);
  while (stop == nullptr || !stop->load()) {
    const Time now = Io::now();
    if (model.in_flight() == 0 || now >= deadline) return deadline;
    const Nanos look = std::min(kLook, deadline - now);
    if (backend != nullptr) {
      backend->serve_until(now + look, margin);
    } else {
      std::this_thread::sleep_for(look);
    }
  }
  return Io::now();
}

}  // namespace precipice
