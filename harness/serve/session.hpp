// One connection's HTTP, without its socket: bytes in, bytes out, and what to do next. A model's
// coroutine moves the bytes (service.cpp); tests split the input at any byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "harness/http/body_decoder.hpp"
#include "harness/http/byte_buffer.hpp"
#include "harness/http/request_parser.hpp"
#include "harness/serve/phase.hpp"
#include "harness/serve/routes.hpp"
#include "models/request.hpp"

namespace precipice::serve {

struct SessionLimits {
  http::HeadLimits head;
  http::BodyLimits body;
};

/// What a session asks of the server around it. Thread-safe.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  /// A head is complete: a request has begun.
  virtual void begun() noexcept = 0;
  /// It is answered. `since`: when its head was complete.
  virtual void answered(http::Status status, Time since) noexcept = 0;
  /// It ends without an answer: the peer has gone, or the model stops.
  virtual void abandoned() noexcept = 0;
  /// Refused before its head was complete.
  virtual void refused(http::Status status) noexcept = 0;
  /// The body of /metrics.
  virtual std::string metrics() = 0;
  /// The server ends: every answer is the last of its connection.
  virtual bool ending() const noexcept = 0;
};

/// Used by one thread at a time. What throws is std::bad_alloc; the connection is then closed.
class Session {
 public:
  enum class Want : std::uint8_t {
    input,   ///< receive into room(), then received() or ended()
    output,  ///< send output(), then sent()
    work,    ///< run the workload with seed(), then worked()
    close,   ///< nothing more: close the connection
    drop,    ///< the same, but what still arrives must be read first, or the peer loses the answer
  };

  Session(SessionHost& host, const SessionLimits& limits) : host_(&host), limits_(&limits) {}

  /// Goes on until something is wanted. Output comes before everything else.
  Want advance();

  /// Where the next bytes go; never empty.
  std::span<char> room();
  void received(std::size_t bytes, Time at);
  /// The peer has ended its side, or its time is over (then an unfinished request gets a 408).
  void ended(bool timed_out);
  std::string_view output() const { return out_.view(); }
  void sent(std::size_t bytes) { out_.consume(bytes); }
  std::uint32_t seed() const { return routed_.seed; }
  void worked(const Outcome& outcome);
  /// The server cannot take the request in hand: 503, and the connection goes on.
  void shed(std::string_view reason);

  /// Ends without a further answer.
  void abandon();

  /// Between advance() with `input` and received(): idle, head or body.
  Phase phase() const { return phase_; }

 private:
  // A request of up to this size needs no memory beside the session's own.
  static constexpr std::size_t kSmall = 256;
  // Answers to pipelined requests are sent together, up to so many bytes.
  static constexpr std::size_t kTogether = 16384;

  std::string_view pending() const {
    return in_.empty() ? std::string_view(small_ + small_begin_, small_end_ - small_begin_)
                       : in_.view();
  }
  void consume(std::size_t bytes);
  bool head();
  bool body();
  void begin_request(std::string_view bytes);
  void finish_request();
  void answer(http::Status status, std::string_view type, std::string_view text,
              std::string_view fields = {});
  void refuse(http::Status status, std::string_view reason);
  void next_request();

  SessionHost* host_;
  const SessionLimits* limits_;
  Time received_at_{};
  Time begun_at_{};
  http::RequestParser parser_;
  http::BodyDecoder decoder_;
  http::ByteBuffer in_, out_, content_;
  Routed routed_;
  Phase phase_ = Phase::idle;
  bool to_head_ = false, keep_alive_ = true, old_version_ = false, expects_continue_ = false;
  bool working_ = false;  ///< the work of a whole request is wanted
  bool request_ = false;  ///< a head is complete, its answer is not yet written
  bool last_ = false;     ///< nothing is read any more
  bool drop_ = false;
  std::uint16_t small_begin_ = 0, small_end_ = 0;
  char small_[kSmall];
};

}  // namespace precipice::serve
