#include "harness/stats/estimate.hpp"

namespace precipice {

const char* to_string(Reached reached) {
  constexpr const char* names[] = {"unmeasured", "ok", "below", "above"};
  return names[static_cast<int>(reached)];
}

const char* to_string(LimitedBy limit) {
  constexpr const char* names[] = {"", "slo", "saturation"};
  return names[static_cast<int>(limit)];
}

}  // namespace precipice
