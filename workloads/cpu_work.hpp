// CPU work of a known amount: a chain of dependent integer operations that stays in one register.
//
// The amount is a number of iterations, calibrated once against the clock; not a time, which would
// end on schedule however little the CPU had been given. So preemption, a slower clock and a busy
// sibling thread all show as a longer service.
//
// The chain is x -> a x + c modulo 2^64 (Knuth's MMIX constants), for two of its properties: n
// steps can also be taken in O(log n), forwards and backwards (F. Brown, "Random number generation
// with arbitrary strides", 1994). A request starts n steps before a value that its seed alone
// names; only exactly n steps lead there. The digest therefore proves the amount of work done, and
// is still the same on every machine and in every process, however the calibration came out; and
// the digests of 4,096 requests are tabulated by jumping, without doing their work.
#pragma once

#include <cstdint>
#include <vector>

#include "models/distribution.hpp"
#include "models/io.hpp"
#include "models/request.hpp"

namespace precipice {

/// Iterations that this machine does in a microsecond when nothing disturbs it: the fastest of
/// many short batches, so that stalls do not enter. Measured on the calling thread by the first
/// call (about 10 ms), then fixed for the process. Thread-safe.
double cpu_iterations_per_us();
/// Uses a calibration made earlier instead, so that all trials of a run do identical work. Takes
/// effect at the next prepare. Throws UsageError when it is not a finite number > 0. Thread-safe.
void set_cpu_iterations_per_us(double iterations_per_us);

/// `iterations` steps from `start`, one after the other.
std::uint64_t run_chain(std::uint64_t start, std::uint64_t iterations);
/// The same value in O(log iterations).
std::uint64_t jump_chain(std::uint64_t start, std::uint64_t iterations);
/// Where a chain has to start to be at `end` after `iterations`.
std::uint64_t rewind_chain(std::uint64_t end, std::uint64_t iterations);

/// The CPU work of every seed. prepare and the constructor are called by one thread while nothing
/// runs; compute is thread-safe.
class CpuWork {
 public:
  /// `mean` of the CPU time; a mean of 0 gives no work. `salt` decides which seed draws what.
  CpuWork(const Distribution& distribution, Nanos mean, std::uint64_t salt);

  /// Fixes the iterations of every seed from the calibration; cheap when that has not changed.
  /// With `tabulating`, compute jumps to the end of the chain instead of walking there.
  void prepare(bool tabulating);
  /// For Io::compute. The work refers to this object.
  Compute compute(std::uint64_t seed) const;
  std::uint64_t iterations(std::uint64_t seed) const;
  /// The time that a seed has drawn.
  Nanos draw(std::uint64_t seed) const {
    return Nanos(static_cast<std::int64_t>(1e3 * us_[seed % us_.size()]));
  }

 private:
  struct Chain {
    std::uint64_t start = 0;
    std::uint64_t iterations = 0;
  };
  template <std::uint64_t (*Advance)(std::uint64_t, std::uint64_t)>
  static std::uint64_t work(const void* self, std::uint64_t seed);

  std::vector<double> us_;  ///< by seed
  std::vector<Chain> chains_;
  double calibration_ = 0;  ///< that chains_ was made with
  bool tabulating_ = false;
};

}  // namespace precipice
