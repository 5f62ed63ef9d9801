// Finds the content of a request in the bytes that follow its head: counted, or in chunks (RFC
// 9112, sections 6 and 7). As strict as the parser of heads: chunk lines with blanks, bare CR or
// LF, or extensions that break their grammar are refused. Trailers are checked like fields and then
// ignored: nothing in them may change how the request was read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "harness/http/request_head.hpp"
#include "harness/http/status.hpp"

namespace precipice::http {

struct BodyLimits {
  std::uint64_t content_bytes = std::uint64_t{1} << 20;  ///< past it 413
  std::uint32_t extension_bytes = 4096;  ///< of all chunk lines beyond their sizes: 400
  std::uint32_t trailer_bytes = 8192;    ///< 431
};

/// One body at a time; holds no memory of its own. Not thread-safe.
class BodyDecoder {
 public:
  enum class Result : std::uint8_t { more, content, complete, refused };
  struct Step {
    Result result = Result::more;
    std::size_t consumed = 0;       ///< of the bytes that were given, the content included
    std::string_view content = {};  ///< with Result::content
  };

  /// After a head. A counted body past the limit is refused by the first `next`.
  void begin(const RequestHead& head);
  /// What the bytes hold first; the rest is given again. `more`: all of them were consumed. Cut
  /// anywhere, it finds the same content.
  Step next(std::string_view bytes, const BodyLimits& limits);

  Status status() const { return status_; }
  /// In English, without a full stop.
  const char* reason() const { return reason_; }

 private:
  enum class State : std::uint8_t {
    counted,
    size,
    extension_name_start,
    extension_name,
    extension_value_start,
    extension_token,
    extension_quoted,
    extension_escape,
    extension_after_quote,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_lf,
    end_lf,
    complete,
    refused,
  };

  Step refuse(std::size_t consumed, Status status, const char* reason);
  /// False: refused, with the status and the reason set.
  bool line_byte(char c, const BodyLimits& limits);
  bool size_byte(char c, const BodyLimits& limits);
  bool extension_byte(char c);
  bool end_of_name_or_value(char c);
  bool trailer_byte(char c);
  bool fail(Status status, const char* reason);

  std::uint64_t left_ = 0;   ///< of the chunk, or of the counted body
  std::uint64_t total_ = 0;  ///< content of all chunks
  std::uint32_t extension_bytes_ = 0, trailer_bytes_ = 0;
  const char* reason_ = "";
  Status status_ = Status::ok;
  State state_ = State::complete;
  std::uint8_t digits_ = 0;
};

}  // namespace precipice::http
