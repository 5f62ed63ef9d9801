#include "harness/trial/drain.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace precipice {

Time wait_for_drain(const Model& model, Time deadline, const std::atomic<bool>* stop) {
  constexpr Nanos kLook = std::chrono::milliseconds(1);
  while (stop == nullptr || !stop->load()) {
    const Time now = Io::now();
    if (model.in_flight() == 0 || now >= deadline) return deadline;
    std::this_thread::sleep_for(std::min(kLook, deadline - now));
  }
  return Io::now();
}

}  // namespace precipice
