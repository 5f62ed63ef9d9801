#include "harness/trial/slots.hpp"

#include <fmt/format.h>

#include <new>

#include "models/options.hpp"

namespace precipice {

Slots::Slots(std::size_t count) : count_(count) {
  try {
    slots_ = std::make_unique<Slot[]>(count);
    sent_ = std::make_unique<Sent[]>(count);
  } catch (const std::bad_alloc&) {
    throw Unavailable(
        fmt::format("no memory for the slots of {} requests ({} MiB); lower the rate or the window",
                    count, count * (sizeof(Slot) + sizeof(Sent)) / 1048576));
  }
}

}  // namespace precipice
