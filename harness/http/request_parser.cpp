#include "harness/http/request_parser.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "harness/http/character_class.hpp"
#include "harness/http/list_elements.hpp"
#include "harness/http/target.hpp"

namespace precipice::http {
namespace {

// IANA's registry of methods, and M-SEARCH, NOTIFY, PURGE, SOURCE, SUBSCRIBE, UNSUBSCRIBE, which
// are in use without it. What is in neither is not recognised: 501, by RFC 9110, section 9.1.
constexpr std::array kOtherMethods = std::to_array<std::string_view>({"PUT",
                                                                      "DELETE",
                                                                      "PATCH",
                                                                      "TRACE",
                                                                      "ACL",
                                                                      "BASELINE-CONTROL",
                                                                      "BIND",
                                                                      "CHECKIN",
                                                                      "CHECKOUT",
                                                                      "COPY",
                                                                      "LABEL",
                                                                      "LINK",
                                                                      "LOCK",
                                                                      "MERGE",
                                                                      "MKACTIVITY",
                                                                      "MKCALENDAR",
                                                                      "MKCOL",
                                                                      "MKREDIRECTREF",
                                                                      "MKWORKSPACE",
                                                                      "MOVE",
                                                                      "ORDERPATCH",
                                                                      "PRI",
                                                                      "PROPFIND",
                                                                      "PROPPATCH",
                                                                      "QUERY",
                                                                      "REBIND",
                                                                      "REPORT",
                                                                      "SEARCH",
                                                                      "UNBIND",
                                                                      "UNCHECKOUT",
                                                                      "UNLINK",
                                                                      "UNLOCK",
                                                                      "UPDATE",
                                                                      "UPDATEREDIRECTREF",
                                                                      "VERSION-CONTROL",
                                                                      "M-SEARCH",
                                                                      "NOTIFY",
                                                                      "PURGE",
                                                                      "SOURCE",
                                                                      "SUBSCRIBE",
                                                                      "UNSUBSCRIBE"});

constexpr std::array kOtherCodings = std::to_array<std::string_view>(
    {"gzip", "x-gzip", "deflate", "compress", "x-compress", "identity"});

Method method_of(std::string_view name) {
  if (name == "GET") return Method::get;
  if (name == "POST") return Method::post;
  if (name == "HEAD") return Method::head;
  if (name == "OPTIONS") return Method::options;
  if (name == "CONNECT") return Method::connect;
  const bool known =
      std::find(kOtherMethods.begin(), kOtherMethods.end(), name) != kOtherMethods.end();
  return known ? Method::other : Method::unknown;
}

bool is_token(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return is(c, kToken); });
}

}  // namespace

RequestParser::Result RequestParser::refuse(Status status, const char* reason) {
  state_ = State::refused;
  status_ = status;
  reason_ = reason;
  return Result::refused;
}

RequestParser::Result RequestParser::parse(std::string_view bytes, const HeadLimits& limits) {
  const Result result = step(bytes.substr(0, limits.head_bytes), limits);
  if (result != Result::more || bytes.size() < limits.head_bytes) return result;
  if (state_ == State::method || state_ == State::target)
    return refuse(Status::uri_too_long, "the request line is longer than this server reads");
  return refuse(Status::header_fields_too_large, "the head is longer than this server reads");
}

RequestParser::Result RequestParser::step(std::string_view bytes, const HeadLimits& limits) {
  const char* const data = bytes.data();
  const auto end = static_cast<std::uint32_t>(bytes.size());
  if (state_ == State::complete) return Result::complete;
  if (state_ == State::refused) return Result::refused;
  while (position_ < end) {
    const char c = data[position_];
    switch (state_) {
      case State::start:
        if (c == '\r') {
          state_ = State::start_lf;
        } else if (is(c, kMethod)) {
          mark_ = position_;
          state_ = State::method;
        } else {
          return refuse(Status::bad_request, "a request begins with a method in capital letters");
        }
        break;
      case State::start_lf:
        if (c != '\n') return refuse(Status::bad_request, "a CR without its LF");
        state_ = State::start;
        break;
      case State::method:
        if (is(c, kMethod)) break;
        if (c != ' ') return refuse(Status::bad_request, "a method is not followed by a space");
        if (end_method(bytes.substr(mark_, position_ - mark_)) == Result::refused)
          return Result::refused;
        mark_ = position_ + 1;
        state_ = State::target;
        break;
      case State::target:
        while (position_ < end && is(data[position_], kTarget)) ++position_;
        if (position_ - mark_ > limits.target_bytes)
          return refuse(Status::uri_too_long, "the target is longer than this server reads");
        if (position_ == end) return Result::more;
        if (data[position_] != ' ')
          return refuse(Status::bad_request, "a byte that a request target cannot have");
        if (end_target(bytes.substr(mark_, position_ - mark_)) == Result::refused)
          return Result::refused;
        head_.target_begin = mark_;
        head_.target_bytes = position_ - mark_;
        state_ = State::version;
        break;
      case State::version:
        if (version_byte(c) == Result::refused) return Result::refused;
        break;
      case State::version_lf:
      case State::value_lf:
        if (c != '\n') return refuse(Status::bad_request, "a CR without its LF");
        state_ = State::field_start;
        break;
      case State::field_start:
        if (c == '\r') {
          state_ = State::end_lf;
        } else if (is(c, kToken)) {
          name_begin_ = position_;
          state_ = State::name;
        } else {
          return refuse(Status::bad_request,
                        "a line of the head begins with neither a field's name nor its end");
        }
        break;
      case State::name:
        while (position_ < end && is(data[position_], kToken)) ++position_;
        if (position_ == end) return Result::more;
        if (data[position_] != ':')
          return refuse(Status::bad_request, "a byte that a field's name cannot have");
        name_end_ = position_;
        state_ = State::value_start;
        break;
      case State::value_start:
        if (c == ' ' || c == '\t') break;
        mark_ = position_;
        state_ = State::value;
        continue;  // the same byte
      case State::value:
        while (position_ < end && is(data[position_], kField)) ++position_;
        if (position_ == end) return Result::more;
        if (data[position_] != '\r')
          return refuse(Status::bad_request, "a byte that a field's value cannot have");
        if (end_field(bytes.substr(name_begin_, name_end_ - name_begin_),
                      trimmed(bytes.substr(mark_, position_ - mark_))) == Result::refused)
          return Result::refused;
        state_ = State::value_lf;
        break;
      case State::end_lf:
        if (c != '\n') return refuse(Status::bad_request, "a CR without its LF");
        ++position_;
        return end_head();
      case State::complete:
      case State::refused:
        break;  // asked above
    }
    ++position_;
  }
  return Result::more;
}

RequestParser::Result RequestParser::end_method(std::string_view name) {
  head_.method = method_of(name);
  if (head_.method == Method::unknown) return refuse(Status::not_implemented, "an unknown method");
  return Result::more;
}

RequestParser::Result RequestParser::end_target(std::string_view target) {
  if (target_fits(target, head_.method)) return Result::more;
  return refuse(Status::bad_request, "the target has no form that goes with the method");
}

// "HTTP/1.1", then CR.
RequestParser::Result RequestParser::version_byte(char c) {
  constexpr std::string_view kForm = "HTTP/d.d\r";
  const char wanted = kForm[version_bytes_];
  if (wanted == 'd' ? !is_digit(c) : c != wanted)
    return refuse(Status::bad_request, "the request line does not end with HTTP/1.1 and CRLF");
  if (version_bytes_ == 5) major_version_ = c;
  if (version_bytes_ == 7) head_.minor_version = static_cast<std::uint8_t>(c - '0');
  ++version_bytes_;
  if (version_bytes_ == 8 && major_version_ != '1')
    return refuse(Status::version_not_supported, "this server speaks HTTP/1.1");
  if (version_bytes_ == kForm.size()) state_ = State::version_lf;
  return Result::more;
}

RequestParser::Result RequestParser::end_field(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 4:
      if (equal_ignoring_case(name, "host")) return host(value);
      break;
    case 6:
      if (equal_ignoring_case(name, "expect")) {
        head_.expects_continue = equal_ignoring_case(value, "100-continue");
        unknown_expectation_ |= !head_.expects_continue;
      }
      break;
    case 10:
      if (equal_ignoring_case(name, "connection")) connection(value);
      break;
    case 14:
      if (equal_ignoring_case(name, "content-length")) return content_length(value);
      break;
    case 17:
      if (equal_ignoring_case(name, "transfer-encoding")) return transfer_encoding(value);
      break;
    default:
      break;
  }
  return Result::more;
}

RequestParser::Result RequestParser::host(std::string_view value) {
  if (has_host_) return refuse(Status::bad_request, "a second Host");
  has_host_ = true;
  if (!is_host(value)) return refuse(Status::bad_request, "a Host that names no host");
  return Result::more;
}

RequestParser::Result RequestParser::content_length(std::string_view value) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (has_length_) return refuse(Status::bad_request, "a second Content-Length");
  has_length_ = true;
  if (value.empty()) return refuse(Status::bad_request, "an empty Content-Length");
  std::uint64_t length = 0;
  for (const char c : value) {
    if (!is_digit(c)) return refuse(Status::bad_request, "a Content-Length that is no number");
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (length > (kMost - digit) / 10)
      return refuse(Status::bad_request, "a Content-Length of 2^63 or more");
    length = length * 10 + digit;
  }
  head_.content_length = length;
  return Result::more;
}

RequestParser::Result RequestParser::transfer_encoding(std::string_view value) {
  has_coding_ = true;
  for (const std::string_view coding : ListElements(value)) {
    // Parameters would be no token: chunked has none (RFC 9112, section 7.1), and the others none
    // that are registered.
    if (!is_token(coding))
      return refuse(Status::bad_request, "a Transfer-Encoding that is no list of codings");
    if (head_.chunked)
      return refuse(Status::bad_request, "a transfer coding after chunked, which is the last");
    if (equal_ignoring_case(coding, "chunked")) {
      head_.chunked = true;
    } else {
      head_.coded = true;
      unknown_coding_ |= std::none_of(kOtherCodings.begin(), kOtherCodings.end(), [&](auto known) {
        return equal_ignoring_case(coding, known);
      });
    }
  }
  return Result::more;
}

void RequestParser::connection(std::string_view value) {
  for (const std::string_view option : ListElements(value)) {
    says_close_ |= equal_ignoring_case(option, "close");
    says_keep_alive_ |= equal_ignoring_case(option, "keep-alive");
  }
}

RequestParser::Result RequestParser::end_head() {
  const bool old = head_.minor_version == 0;
  if (!old && !has_host_) return refuse(Status::bad_request, "HTTP/1.1 without a Host");
  if (has_coding_) {
    if (old) return refuse(Status::bad_request, "Transfer-Encoding in HTTP/1.0");
    if (has_length_)
      return refuse(Status::bad_request, "Transfer-Encoding together with Content-Length");
    if (!head_.chunked)
      return refuse(Status::bad_request, "a Transfer-Encoding that does not end with chunked");
    if (unknown_coding_) return refuse(Status::not_implemented, "an unknown transfer coding");
  }
  if (old) {
    head_.expects_continue = unknown_expectation_ = false;  // RFC 9110, section 10.1.1
  } else if (unknown_expectation_) {
    return refuse(Status::expectation_failed, "an expectation other than 100-continue");
  }
  head_.keep_alive = !says_close_ && (!old || says_keep_alive_);
  state_ = State::complete;
  return Result::complete;
}

}  // namespace precipice::http
