// Whether a sanitizer slows this build down: what only computes then has fewer rounds there, and
// the whole number of them in the optimised build.
#pragma once

namespace precipice::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// Lets a sanitizer read the names of functions now, which takes it 0.2 s. Its suppressions match
/// names, for which it opens the program's file at its first report, and never again where that
/// fails: for tests that take all descriptors.
void load_names_for_suppressions();

/// Awaits of a test that looks for a stack of 8 MiB that grows with them. One that is never
/// returned from keeps at least 16 bytes; with a sanitizer at least 48, since it goes through two
/// calls that each keep a frame pointer.
inline constexpr int kManyAwaits = kSanitized ? 200'000 : 1'000'000;

}  // namespace precipice::testing
