// The status codes that a server answers with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace precipice::http {

/// RFC 9110, section 15.
enum class Status : std::uint16_t {
  ok = 200,
  bad_request = 400,
  not_found = 404,
  method_not_allowed = 405,
  request_timeout = 408,
  content_too_large = 413,
  uri_too_long = 414,
  expectation_failed = 417,
  header_fields_too_large = 431,
  internal_error = 500,
  not_implemented = 501,
  unavailable = 503,
  version_not_supported = 505,
};

inline constexpr std::array kStatuses = {
    Status::ok,
    Status::bad_request,
    Status::not_found,
    Status::method_not_allowed,
    Status::request_timeout,
    Status::content_too_large,
    Status::uri_too_long,
    Status::expectation_failed,
    Status::header_fields_too_large,
    Status::internal_error,
    Status::not_implemented,
    Status::unavailable,
    Status::version_not_supported,
};

/// Its place in kStatuses.
constexpr std::size_t index_of(Status status) {
  std::size_t index = 0;
  while (kStatuses[index] != status) ++index;
  return index;
}

constexpr std::string_view reason_phrase(Status status) {
  switch (status) {
    case Status::ok:
      return "OK";
    case Status::bad_request:
      return "Bad Request";
    case Status::not_found:
      return "Not Found";
    case Status::method_not_allowed:
      return "Method Not Allowed";
    case Status::request_timeout:
      return "Request Timeout";
    case Status::content_too_large:
      return "Content Too Large";
    case Status::uri_too_long:
      return "URI Too Long";
    case Status::expectation_failed:
      return "Expectation Failed";
    case Status::header_fields_too_large:
      return "Request Header Fields Too Large";
    case Status::internal_error:
      return "Internal Server Error";
    case Status::not_implemented:
      return "Not Implemented";
    case Status::unavailable:
      return "Service Unavailable";
    case Status::version_not_supported:
      return "HTTP Version Not Supported";
  }
  return "";
}

}  // namespace precipice::http
