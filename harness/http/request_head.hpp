// What a server needs of the head of a request: everything before its body.
#pragma once

#include <cstdint>
#include <string_view>

namespace precipice::http {

enum class Method : std::uint8_t {
  get,
  head,
  post,
  options,
  connect,
  other,    ///< registered or in use, but nothing that this server offers
  unknown,  ///< no method that anybody knows
};

struct RequestHead {
  std::uint64_t content_length = 0;
  std::uint32_t target_begin = 0;  ///< from the start of the head
  std::uint32_t target_bytes = 0;
  Method method = Method::unknown;
  std::uint8_t minor_version = 1;  ///< of HTTP/1.x
  bool chunked = false;
  bool coded = false;  ///< by a further coding inside the chunks, which is not undone here
  bool keep_alive = true;
  bool expects_continue = false;

  /// `bytes`: the head, as it was parsed.
  std::string_view target(std::string_view bytes) const {
    return bytes.substr(target_begin, target_bytes);
  }
  bool has_body() const { return chunked || content_length > 0; }
};

}  // namespace precipice::http
