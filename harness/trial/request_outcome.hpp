// What became of one request, as the summary of a trial takes it.
#pragma once

#include <cerrno>
#include <cstdint>

#include "harness/trial/slots.hpp"
#include "models/request.hpp"

namespace precipice {

/// How one request fared, from its slot or straight from a simulation.
struct RequestOutcome {
  std::uint64_t id = 0;
  std::int64_t intended_ns = 0;
  std::int64_t dispatch_ns = -1;  ///< -1: never dispatched
  std::int64_t begin_ns = -1, completion_ns = -1;
  std::uint64_t digest = 0;
  std::int32_t submit_ns = 0;
  std::int32_t error = 0;  ///< errno of a failure, or the Refusal of a shed request
  int ends = 0;
  End end = End::open;
  bool shed = false;   ///< refused at submit
  bool wrong = false;  ///< completed with another digest than `inline` has

  bool ended_by_shutdown() const {
    return (end == End::failed && error == ECANCELED) ||
           (end == End::shed && error == static_cast<int>(Refusal::shutdown));
  }
};

}  // namespace precipice
