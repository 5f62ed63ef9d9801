// Parses the head of a request of HTTP/1.1 as it arrives (RFC 9112), byte by byte, and refuses
// whatever two parsers could read differently: that is how one request is smuggled inside another.
//
// Refused, where RFC 9112 leaves a choice: bare CR and bare LF anywhere, a field that is continued
// on the next line, a space before a colon, a Content-Length that is repeated even with the same
// value, Transfer-Encoding together with Content-Length or in HTTP/1.0, parameters of a transfer
// coding, methods with other letters than capitals, and bytes from 0x80 on in a target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "harness/http/request_head.hpp"
#include "harness/http/status.hpp"

namespace precipice::http {

struct HeadLimits {
  std::uint32_t head_bytes = 16384;   ///< request line and fields; past it 431, or 414
  std::uint32_t target_bytes = 8192;  ///< past it 414
};

/// One head at a time; `reset` before the next. Holds no memory of its own. Not thread-safe.
class RequestParser {
 public:
  enum class Result : std::uint8_t {
    more,      ///< all of it is fine so far
    complete,  ///< head() is valid, and the body begins at consumed()
    refused,   ///< status() and reason() say why; the connection has to be closed
  };

  /// `bytes`: everything since the start of the head, or since reset; what an earlier call has seen
  /// is not read again. Cut anywhere, it gives the same results.
  Result parse(std::string_view bytes, const HeadLimits& limits);

  /// False while there are at most empty lines, which a request may follow.
  bool begun() const { return state_ != State::start && state_ != State::start_lf; }
  std::size_t consumed() const { return position_; }
  const RequestHead& head() const { return head_; }
  Status status() const { return status_; }
  /// In English, without a full stop.
  const char* reason() const { return reason_; }
  void reset() { *this = RequestParser(); }

 private:
  enum class State : std::uint8_t {
    start,
    start_lf,
    method,
    target,
    version,
    version_lf,
    field_start,
    name,
    value_start,
    value,
    value_lf,
    end_lf,
    complete,
    refused,
  };

  Result refuse(Status status, const char* reason);
  Result step(std::string_view bytes, const HeadLimits& limits);
  Result end_method(std::string_view name);
  Result end_target(std::string_view target);
  Result version_byte(char c);
  Result end_field(std::string_view name, std::string_view value);
  Result host(std::string_view value);
  Result content_length(std::string_view value);
  Result transfer_encoding(std::string_view value);
  void connection(std::string_view value);
  Result end_head();

  std::uint32_t position_ = 0;
  std::uint32_t mark_ = 0;  ///< where the token under way begins
  std::uint32_t name_begin_ = 0, name_end_ = 0;
  const char* reason_ = "";
  RequestHead head_;
  Status status_ = Status::ok;
  State state_ = State::start;
  std::uint8_t version_bytes_ = 0;
  char major_version_ = '1';
  bool has_host_ = false, has_length_ = false, has_coding_ = false;
  bool unknown_coding_ = false, unknown_expectation_ = false;
  bool says_close_ = false, says_keep_alive_ = false;
};

}  // namespace precipice::http
