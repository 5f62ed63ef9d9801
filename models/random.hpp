// Small seeded generators whose output is the same on every platform and library version, so that a
// seed in a paper means the same requests everywhere.
#pragma once

#include <bit>
#include <cstdint>

namespace precipice {

/// One step of SplitMix64 as a mixing function (Steele, Lea, Flood 2014, "Fast splittable
/// pseudorandom number generators").
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// xoshiro256++ 1.0 (Blackman and Vigna, 2019), seeded through SplitMix64. Not thread-safe.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      word = mix64(seed);
      seed += 0x9e3779b97f4a7c15ULL;
    }
  }

  constexpr std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  /// Uniform in [0, 1), 53 bits.
  constexpr double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// Uniform in (0, 1], for logarithms.
  constexpr double uniform_positive() {
    return static_cast<double>((next() >> 11) + 1) * 0x1.0p-53;
  }
  /// Uniform in [0, bound), bound > 0; bias below 2^-64 x bound (multiply-shift).
  constexpr std::uint64_t below(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
  }

 private:
  std::uint64_t state_[4]{};
};

}  // namespace precipice
