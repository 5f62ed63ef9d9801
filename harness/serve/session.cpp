#include "harness/serve/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "harness/http/answer.hpp"

namespace precipice::serve {
namespace {

using http::Status;

constexpr std::string_view kPlain = "Hello, world!";

}  // namespace

Session::Want Session::advance() {
  while (!last_ && !working_ && out_.size() < kTogether) {
    if (!(request_ ? body() : head())) break;
  }
  if (!out_.empty()) return Want::output;
  out_.release();
  if (working_) return Want::work;
  if (last_) return drop_ ? Want::drop : Want::close;
  return Want::input;
}

// --- input ---------------------------------------------------------------------------------------

// Small while nothing is there, so that an idle connection holds no buffer; where a whole small one
// was filled, or a body comes, there is more to be had at once.
std::span<char> Session::room() {
  constexpr std::size_t kLarge = 16384;
  if (in_.empty() && small_begin_ == small_end_ && phase_ == Phase::idle) {
    in_.release();
    small_begin_ = small_end_ = 0;
    return {small_, kSmall};
  }
  if (small_begin_ != small_end_) {
    in_.append({small_ + small_begin_, static_cast<std::size_t>(small_end_ - small_begin_)});
    small_begin_ = small_end_ = 0;
  }
  char* const to = in_.reserve(phase_ == Phase::body ? kLarge : kSmall);
  return {to, in_.room()};
}

void Session::received(std::size_t bytes, Time at) {
  received_at_ = at;
  if (in_.capacity() == 0) {
    small_end_ = static_cast<std::uint16_t>(bytes);
  } else {
    in_.commit(bytes);
  }
}

void Session::consume(std::size_t bytes) {
  if (in_.empty()) {
    small_begin_ = static_cast<std::uint16_t>(small_begin_ + bytes);
  } else {
    in_.consume(bytes);
  }
}

void Session::ended(bool timed_out) {
  if (timed_out && phase_ != Phase::idle) {
    refuse(Status::request_timeout, "the request took too long to arrive");
  } else {
    abandon();
  }
}

void Session::abandon() {
  if (request_) host_->abandoned();
  next_request();
  working_ = false;
  last_ = true;
}

// --- one request ---------------------------------------------------------------------------------

// False: more input is needed first.
bool Session::head() {
  using Result = http::RequestParser::Result;
  const std::string_view bytes = pending();
  if (bytes.empty()) {
    phase_ = Phase::idle;
    return false;
  }
  const Result result = parser_.parse(bytes, limits_->head);
  if (result == Result::refused) {
    refuse(parser_.status(), parser_.reason());
    return true;
  }
  if (result == Result::more) {
    phase_ = Phase::head;
    return false;
  }
  begin_request(bytes);
  return true;
}

void Session::begin_request(std::string_view bytes) {
  const http::RequestHead& head = parser_.head();
  begun_at_ = received_at_;
  request_ = true;
  host_->begun();
  routed_ = route(head, bytes);
  to_head_ = head.method == http::Method::head;
  old_version_ = head.minor_version == 0;
  // What follows a CONNECT is not HTTP (RFC 9110, section 9.3.6).
  keep_alive_ = head.keep_alive && head.method != http::Method::connect;
  expects_continue_ = head.expects_continue && head.has_body();
  decoder_.begin(head);
  consume(parser_.consumed());
  parser_.reset();
}

bool Session::body() {
  using Result = http::BodyDecoder::Result;
  for (;;) {
    const http::BodyDecoder::Step step = decoder_.next(pending(), limits_->body);
    if (step.result == Result::content && routed_.route == Route::echo)
      content_.append(step.content);
    consume(step.consumed);
    if (step.result == Result::refused) {
      refuse(decoder_.status(), decoder_.reason());
      return true;
    }
    if (step.result == Result::complete) {
      finish_request();
      return true;
    }
    if (step.result == Result::more) break;
  }
  // A client that waits to be asked for the body is told so, or is told at once why it need not
  // send any; then what it sends all the same is not read as the next request.
  if (expects_continue_) {
    expects_continue_ = false;
    if (routed_.status != Status::ok) {
      keep_alive_ = false;
      drop_ = true;
      finish_request();
      return true;
    }
    out_.append(http::kContinue);
  }
  phase_ = Phase::body;
  return false;
}

void Session::finish_request() {
  if (routed_.status != Status::ok) {
    return answer(routed_.status, "text/plain", fmt::format("{}\n", routed_.reason), routed_.allow);
  }
  switch (routed_.route) {
    case Route::plain:
      return answer(Status::ok, "text/plain", kPlain);
    case Route::echo:
      return answer(Status::ok, "application/octet-stream", content_.view());
    case Route::health:
      return answer(Status::ok, "text/plain", host_->ending() ? "ending\n" : "ok\n");
    case Route::metrics:
      return answer(Status::ok, "text/plain; version=0.0.4", host_->metrics());
    case Route::work:
      working_ = true;
      return;
    case Route::none:
      return;
  }
}

void Session::worked(const Outcome& outcome) {
  working_ = false;
  if (outcome.succeeded())
    return answer(Status::ok, "text/plain", fmt::format("{:016x}\n", outcome.digest));
  if (outcome.error == ECANCELED) return abandon();  // the model stops, and sends nothing any more
  answer(Status::internal_error, "text/plain",
         fmt::format("the work failed: {}\n", std::strerror(outcome.error)));
}

void Session::shed(std::string_view reason) {
  working_ = false;
  answer(Status::unavailable, "text/plain", fmt::format("shed: {}\n", reason));
}

void Session::answer(Status status, std::string_view type, std::string_view text,
                     std::string_view fields) {
  if (host_->ending()) keep_alive_ = false;
  http::append_answer(out_, {.status = status,
                             .content_type = type,
                             .body = text,
                             .fields = fields,
                             .to_head = to_head_,
                             .close = !keep_alive_,
                             .keep_alive = old_version_});
  host_->answered(status, begun_at_);
  next_request();
  // Bytes that nobody has read would make the kernel reset the connection, and the answer be lost.
  if (!keep_alive_) drop_ |= !pending().empty();
  last_ = !keep_alive_;
}

// The framing is lost, or not worth finding: this is the last answer.
void Session::refuse(Status status, std::string_view reason) {
  http::append_answer(out_, {.status = status,
                             .body = fmt::format("{}\n", reason),
                             .to_head = request_ && to_head_,
                             .close = true});
  if (request_) {
    host_->answered(status, begun_at_);
  } else {
    host_->refused(status);
  }
  next_request();
  last_ = drop_ = true;
}

void Session::next_request() {
  request_ = false;
  content_.release();
}

}  // namespace precipice::serve
