#include "harness/http/body_decoder.hpp"

#include <algorithm>

#include "harness/http/character_class.hpp"

namespace precipice::http {
namespace {

constexpr std::uint8_t kMostDigits = 16;  // of 64 bits, zeros in front included

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void BodyDecoder::begin(const RequestHead& head) {
  *this = BodyDecoder();
  left_ = head.chunked ? 0 : head.content_length;
  state_ = head.chunked ? State::size : State::counted;
}

bool BodyDecoder::fail(Status status, const char* reason) {
  status_ = status;
  reason_ = reason;
  state_ = State::refused;
  return false;
}

BodyDecoder::Step BodyDecoder::refuse(std::size_t consumed, Status status, const char* reason) {
  fail(status, reason);
  return {Result::refused, consumed, {}};
}

BodyDecoder::Step BodyDecoder::next(std::string_view bytes, const BodyLimits& limits) {
  std::size_t at = 0;
  for (;;) {
    if (state_ == State::complete) return {Result::complete, at, {}};
    if (state_ == State::refused) return {Result::refused, at, {}};
    if (state_ == State::counted || state_ == State::data) {
      const bool counted = state_ == State::counted;
      if (counted && left_ > limits.content_bytes && total_ == 0)
        return refuse(at, Status::content_too_large, "the body is larger than this server reads");
      if (left_ == 0) {
        state_ = counted ? State::complete : State::data_cr;
        continue;
      }
      if (at == bytes.size()) return {Result::more, at, {}};
      const std::size_t here = std::min<std::uint64_t>(left_, bytes.size() - at);
      left_ -= here;
      if (counted) total_ += here;
      return {Result::content, at + here, bytes.substr(at, here)};
    }
    if (at == bytes.size()) return {Result::more, at, {}};
    if (!line_byte(bytes[at], limits)) return {Result::refused, at, {}};
    ++at;
  }
}

bool BodyDecoder::line_byte(char c, const BodyLimits& limits) {
  switch (state_) {
    case State::size:
      return size_byte(c, limits);
    case State::size_lf:
      if (c != '\n') return fail(Status::bad_request, "a chunk's line without its LF");
      state_ = left_ == 0 ? State::trailer_start : State::data;
      return true;
    case State::data_cr:
      if (c != '\r') return fail(Status::bad_request, "a chunk is longer than its size");
      state_ = State::data_lf;
      return true;
    case State::data_lf:
      if (c != '\n') return fail(Status::bad_request, "a chunk without its CRLF");
      state_ = State::size;
      digits_ = 0;
      return true;
    case State::trailer_start:
    case State::trailer_name:
    case State::trailer_value:
    case State::trailer_lf:
    case State::end_lf:
      if (++trailer_bytes_ > limits.trailer_bytes)
        return fail(Status::header_fields_too_large,
                    "the trailers are longer than this server reads");
      return trailer_byte(c);
    default:
      if (++extension_bytes_ > limits.extension_bytes)
        return fail(Status::bad_request, "chunk extensions are longer than this server reads");
      return extension_byte(c);
  }
}

bool BodyDecoder::size_byte(char c, const BodyLimits& limits) {
  if (const int digit = hex_digit(c); digit >= 0) {
    if (++digits_ > kMostDigits) return fail(Status::bad_request, "a chunk size of 2^64 or more");
    left_ = (left_ << 4) | static_cast<std::uint64_t>(digit);
    return true;
  }
  if (digits_ == 0) return fail(Status::bad_request, "a chunk without a size");
  if (c != '\r' && c != ';') return fail(Status::bad_request, "a chunk size that is no number");
  if (left_ > limits.content_bytes - std::min(total_, limits.content_bytes))
    return fail(Status::content_too_large, "the body is larger than this server reads");
  total_ += left_;
  state_ = c == '\r' ? State::size_lf : State::extension_name_start;
  return true;
}

// After a whole name or value: another extension, or the end of the line.
bool BodyDecoder::end_of_name_or_value(char c) {
  if (c != ';' && c != '\r') return fail(Status::bad_request, "a chunk extension that is none");
  state_ = c == ';' ? State::extension_name_start : State::size_lf;
  return true;
}

bool BodyDecoder::extension_byte(char c) {
  switch (state_) {
    case State::extension_name_start:
      if (!is(c, kToken)) break;
      state_ = State::extension_name;
      return true;
    case State::extension_name:
      if (is(c, kToken)) return true;
      if (c != '=') return end_of_name_or_value(c);
      state_ = State::extension_value_start;
      return true;
    case State::extension_value_start:
      if (c != '"' && !is(c, kToken)) break;
      state_ = c == '"' ? State::extension_quoted : State::extension_token;
      return true;
    case State::extension_token:
      return is(c, kToken) || end_of_name_or_value(c);
    case State::extension_quoted:
      if (c == '"') {
        state_ = State::extension_after_quote;
      } else if (c == '\\') {
        state_ = State::extension_escape;
      } else if (!is(c, kQuoted)) {
        break;
      }
      return true;
    case State::extension_escape:
      if (!is(c, kField)) break;
      state_ = State::extension_quoted;
      return true;
    case State::extension_after_quote:
      return end_of_name_or_value(c);
    default:
      break;
  }
  return fail(Status::bad_request, "a chunk extension that is none");
}

bool BodyDecoder::trailer_byte(char c) {
  switch (state_) {
    case State::trailer_start:
      if (c != '\r' && !is(c, kToken)) break;
      state_ = c == '\r' ? State::end_lf : State::trailer_name;
      return true;
    case State::trailer_name:
      if (is(c, kToken)) return true;
      if (c != ':') break;
      state_ = State::trailer_value;
      return true;
    case State::trailer_value:
      if (is(c, kField)) return true;
      if (c != '\r') break;
      state_ = State::trailer_lf;
      return true;
    case State::trailer_lf:
    case State::end_lf:
      if (c != '\n') break;
      state_ = state_ == State::end_lf ? State::complete : State::trailer_start;
      return true;
    default:
      break;
  }
  return fail(Status::bad_request, "a trailer that is no field");
}

}  // namespace precipice::http
