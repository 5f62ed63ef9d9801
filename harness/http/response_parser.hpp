// Reads HTTP/1.1 responses as they arrive, strictly (RFC 9112). An own parser, since all that a
// client needs is the status, where the response ends and whether the connection may be used again:
// no field is kept and nothing is allocated but for a header section that arrives in pieces.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace precipice {

/// Holds each body against what is expected, piece by piece.
class BodyCheck {
 public:
  /// `expected`, if any, outlives the check; nullptr: any body is right.
  void begin(const std::string* expected) {
    expected_ = expected;
    size_ = 0;
    differs_ = false;
  }
  void add(std::string_view piece) {
    if (expected_ != nullptr && !differs_)
      differs_ = std::string_view(*expected_)
                     .substr(std::min(size_, expected_->size()))
                     .substr(0, piece.size()) != piece;
    size_ += piece.size();
  }
  bool right() const { return expected_ == nullptr || (!differs_ && size_ == expected_->size()); }
  std::size_t size() const { return size_; }

 private:
  const std::string* expected_ = nullptr;
  std::size_t size_ = 0;
  bool differs_ = false;
};

/// One response after another of one connection. Refused, and the connection with it: a bare CR or
/// LF in the header section, obs-fold, bytes that names and values may not have, Content-Length
/// that is malformed, repeated or beside Transfer-Encoding, Transfer-Encoding of HTTP/1.0,
/// `chunked` that is not the last coding or is there twice, chunk lines of other forms, a version
/// other than 1.0 and 1.1, 101, and what is beyond the limits below. Fields of trailers are checked
/// and ignored. Interim responses (1xx) are passed over. Not thread-safe.
class ResponseParser {
 public:
  static constexpr std::size_t kMostHeader = std::size_t{64}
                                             << 10;  ///< bytes, status line included
  static constexpr std::size_t kMostChunkLine = 1024, kMostTrailers = std::size_t{8} << 10;
  static constexpr int kMostInterim = 8;

  /// For the next response. `to_head`: it answers a HEAD request and has no body. `expected_body`
  /// as in BodyCheck.
  void begin(bool to_head, const std::string* expected_body);
  /// Takes bytes up to the end of the response; returns how many. Fewer than there are only where
  /// it has ended or failed.
  std::size_t take(std::string_view bytes);
  /// The peer has closed: the end of a body that lasts until then, else a failure.
  void end_of_stream();

  bool done() const { return state_ == State::done; }
  bool failed() const { return state_ == State::failed; }
  /// What is wrong with it, or nullptr.
  const char* problem() const { return problem_; }
  /// Bytes of this response have been taken.
  bool begun() const { return begun_; }
  int status() const { return status_; }
  /// Whether the connection takes another request after this response.
  bool keeps_alive() const { return keeps_alive_ && done(); }
  const BodyCheck& body() const { return body_; }

 private:
  enum class State : std::uint8_t {
    status_line,
    fields,
    sized,
    until_close,
    chunk_line,
    chunk_data,
    chunk_end,
    trailers,
    done,
    failed,
  };
  /// What the fields of one header section say of the body's end and of the connection.
  struct Framing {
    std::optional<std::uint64_t> length;
    bool encoded = false, chunked_last = false, chunked_before = false;
    bool close = false, keep_alive = false;
  };

  void fail(const char* problem);
  void begin_section();
  /// The line without its CRLF; nullopt while it has not ended, and where it fails.
  std::optional<std::string_view> take_line(std::string_view bytes, std::size_t& taken);
  void on_line(std::string_view line);
  void on_status_line(std::string_view line);
  void on_field(std::string_view line);
  void on_transfer_encoding(std::string_view value);
  void on_end_of_header();
  void on_chunk_line(std::string_view line);
  std::size_t take_body(std::string_view bytes);

  State state_ = State::done;
  bool to_head_ = false, keeps_alive_ = false, begun_ = false, http_1_0_ = false;
  int status_ = 0, interim_ = 0;
  std::uint64_t left_ = 0;         ///< of the body, or of the chunk
  std::size_t section_bytes_ = 0;  ///< of the lines of this section so far
  Framing framing_;
  const char* problem_ = nullptr;
  BodyCheck body_;
  std::string kept_;  ///< a line that arrives in pieces
};

}  // namespace precipice
