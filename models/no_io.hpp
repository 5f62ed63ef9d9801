// The Io of an analytic queue, which has nothing to run an operation on.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <new>

#include "models/io.hpp"

namespace precipice {

/// Serves the empty workload; any operation ends in ENOSYS. Thread-safe.
class NoIo final : public Io {
 public:
  void close(int socket) noexcept override { ::close(socket); }
  Lease lease(std::size_t bytes) override {
    auto* data = static_cast<std::byte*>(::operator new(bytes, kAlignment));
    return {*this, data, bytes};
  }
  void wake(IoOp& op) noexcept override { op.finish(0); }

 protected:
  Start start(IoOp& op) override {
    op.result = -ENOSYS;
    return Start::completed;
  }
  void give_back(std::byte* data, std::size_t) noexcept override {
    ::operator delete(data, kAlignment);
  }

 private:
  static constexpr std::align_val_t kAlignment{4096};
};

}  // namespace precipice
