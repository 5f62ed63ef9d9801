// Which resource a request names, and whether its method is allowed there.
#pragma once

#include <cstdint>
#include <string_view>

#include "harness/http/request_head.hpp"
#include "harness/http/status.hpp"

namespace precipice::serve {

enum class Route : std::uint8_t { plain, work, echo, health, metrics, none };

struct Routed {
  Route route = Route::none;
  http::Status status = http::Status::ok;  ///< anything else: this is answered, with `reason`
  std::string_view reason = {};            ///< in English, for the body of the answer
  std::string_view allow = {};             ///< the fields of a 405
  std::uint32_t seed = 0;                  ///< of `work`
};

/// `head_bytes`: what the head was parsed from; the views of the result are of static texts.
Routed route(const http::RequestHead& head, std::string_view head_bytes);

}  // namespace precipice::serve
