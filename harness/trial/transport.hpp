// How the requests of a series reach its model.
#pragma once

#include <string_view>

#include "harness/trial/trial.hpp"

namespace precipice {

/// Of a series whose requests come over HTTP, in the place of a policy's name: `event_loop|http`.
/// The model then runs in a server of its own (precipice serve), on its own CPUs, and the client on
/// the generator's. Without it, requests are handed over in the process.
inline constexpr std::string_view kOverHttp = "http";

inline bool over_http(const Spec& model) { return model.policy == kOverHttp; }

}  // namespace precipice
