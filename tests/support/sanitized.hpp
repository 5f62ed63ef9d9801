// Whether a sanitizer slows this build down: what only computes then has fewer rounds there, and
// the whole number of them in the optimised build.
#pragma once

namespace precipice::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace precipice::testing
