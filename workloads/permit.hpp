// A permit of a gate, held by a scope.
#pragma once

#include "models/io.hpp"

namespace precipice {

/// One permit, given back on destruction, however the scope is left. Made after the gate was
/// acquired.
class Permit {
 public:
  explicit Permit(Gate& gate) noexcept : gate_(gate) {}
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;
  ~Permit() { gate_.release(); }

 private:
  Gate& gate_;
};

}  // namespace precipice
