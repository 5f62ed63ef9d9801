// What all trials of a cell say together about how far its figures can be trusted: pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/capacity/record.hpp"
#include "harness/host/neighbour.hpp"

namespace precipice {

/// Stolen time over the trials that entered a cell's result. Every one of them may have passed the
/// gate, which lets a short trial have its one tick, and all together not.
struct PooledSteal {
  double ticks = 0, cpu_seconds = 0;
  bool exceeded() const { return ticks > cpu_seconds; }
};

/// The gate that failed in most trials, and its sentence in the last of them.
struct CommonestGate {
  Cause cause = Cause::generator;
  TrialGate gate = TrialGate::unknown;
  std::string text;
  int trials = 0;  ///< 0: none names a gate
};
CommonestGate commonest_gate(std::span<const Record* const> trials);

struct CellValidity {
  int trials = 0, used = 0;
  PooledSteal steal;
  OtherProcesses neighbours;  ///< pooled like steal, over the trials that entered
  /// Why there is no figure, with the commonest gate and its sentence; "" where a trial counted, or
  /// where there was none at all.
  std::string unmeasured;
  /// What a reader of the figures must know: pooled steal or neighbours above their bounds, a
  /// backend that bounded the load. A cell with marks has figures, and they are not to be trusted
  /// as they stand.
  std::vector<std::string> marks;

  /// `unmeasured` and the marks in one line, or "".
  std::string text() const;
};

/// Histograms are not needed. The order does not matter; trials of other cells must not be among
/// them.
CellValidity cell_validity(std::span<const Record> trials);

}  // namespace precipice
