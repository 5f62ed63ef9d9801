// Writes answers: status line, fields and body, in the order and with the fields that nginx writes.
#pragma once

#include <string_view>

#include "harness/http/byte_buffer.hpp"
#include "harness/http/request_head.hpp"
#include "harness/http/status.hpp"

namespace precipice::http {

struct Answer {
  Status status = Status::ok;
  std::string_view content_type = "text/plain";
  std::string_view body = {};
  std::string_view fields = {};  ///< further ones, each with its CRLF
  bool to_head = false;          ///< the length of the body without the body
  bool close = false;            ///< says that the connection ends with it
  bool keep_alive = false;       ///< says so, which a client of HTTP/1.0 has to be told
};

/// Behind what is there. Throws std::bad_alloc.
void append_answer(ByteBuffer& out, const Answer& answer);

/// The interim answer to `Expect: 100-continue`.
inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace precipice::http
