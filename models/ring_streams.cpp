#include "models/ring_streams.hpp"

#include <algorithm>
#include <cstdlib>

namespace precipice {
void ReceiveBuffers::Free::operator()(void* memory) const noexcept { std::free(memory); }

bool ReceiveBuffers::open(io_uring& ring) {
  constexpr std::size_t kPage = 4096;
  entries_.reset(static_cast<io_uring_buf_ring*>(
      std::aligned_alloc(kPage, std::max(kPage, kCount * sizeof(io_uring_buf)))));
  memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kPage, kCount * kBytes)));
  if (entries_ != nullptr && memory_ != nullptr) {
    pieces_.resize(kCount);
    io_uring_buf_ring_init(entries_.get());
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(entries_.get());
    registration.ring_entries = kCount;
    registration.bgid = kGroup;
    if (io_uring_register_buf_ring(&ring, &registration, 0) == 0) {
      for (unsigned id = 0; id < kCount; ++id) give_back(static_cast<std::uint16_t>(id));
      return true;
    }
  }
  entries_.reset();
  memory_.reset();
  return false;
}

void ReceiveBuffers::close(io_uring& ring) noexcept {
  if (entries_ != nullptr) io_uring_unregister_buf_ring(&ring, kGroup);
  entries_.reset();
  memory_.reset();
}

void ReceiveBuffers::give_back(std::uint16_t id) noexcept {
  io_uring_buf_ring_add(entries_.get(), memory_.get() + id * kBytes, kBytes, id,
                        io_uring_buf_ring_mask(kCount), 0);
  io_uring_buf_ring_advance(entries_.get(), 1);
}

}  // namespace precipice
