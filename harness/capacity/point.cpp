#include "harness/capacity/point.hpp"

namespace precipice {

const char* to_string(Phase phase) {
  constexpr const char* names[] = {"plateau", "coarse", "refine", "overload", "grid"};
  return names[static_cast<int>(phase)];
}

}  // namespace precipice
