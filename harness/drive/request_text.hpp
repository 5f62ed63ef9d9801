// The bytes of a request, made once; a seed is put into them where the target has `{seed}`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "harness/http/url.hpp"
#include "harness/trial/target.hpp"

namespace precipice {

/// One a thread: `of` overwrites what it returned before.
class RequestText {
 public:
  /// Throws UsageError on a method that is no token and on a header that is no field, or one that
  /// frames the request (Content-Length, Transfer-Encoding, Connection), which follow from the
  /// rest.
  RequestText(const Target& target, const Url& url);

  /// Valid until the next call.
  std::string_view of(std::uint32_t seed);
  bool is_head() const { return is_head_; }

 private:
  std::string before_, after_, made_;
  bool seeded_ = false, is_head_ = false;
};

/// With `Connection: close`: of the last request of a connection.
RequestText closing_text(const Target& target, const Url& url);

}  // namespace precipice
