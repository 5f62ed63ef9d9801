// What a connection is doing, as far as its timeouts and the end of the server are concerned.
#pragma once

#include <cstdint>

namespace precipice::serve {

enum class Phase : std::uint8_t {
  none,     ///< no connection
  queued,   ///< accepted; the model has not begun it
  idle,     ///< between requests
  head,     ///< a head has begun to arrive
  body,     ///< its body arrives
  working,  ///< the workload runs
  writing,  ///< an answer is on its way
  closing,  ///< the last answer is sent, and what still arrives is thrown away
  expired,  ///< its time was over while it received; the sweeper has ended its receiving side
};

/// Whether a request is under way in it.
constexpr bool is_request(Phase phase) {
  return phase == Phase::head || phase == Phase::body || phase == Phase::working ||
         phase == Phase::writing;
}

}  // namespace precipice::serve
