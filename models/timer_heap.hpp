// All sleeps of one ring: a binary heap of 16-byte entries, so that a million sleepers cost no
// kernel objects and one timeout of the next wait serves them all.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "models/io.hpp"

namespace precipice {

/// Not thread-safe. Operations that are due at the same instant come out in no particular order.
class TimerHeap {
 public:
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  /// When the next one is due; Time::max() when there is none.
  Time next() const { return heap_.empty() ? Time::max() : heap_.front().until; }

  /// Throws std::bad_alloc.
  void push(IoOp& op) {
    heap_.push_back({op.arguments.until, &op});
    std::push_heap(heap_.begin(), heap_.end());
  }
  /// The earliest one if it is due at `now`, or nullptr.
  IoOp* pop_due(Time now) {
    if (heap_.empty() || heap_.front().until > now) return nullptr;
    return pop();
  }
  /// The earliest one; the heap is not empty.
  IoOp* pop() {
    std::pop_heap(heap_.begin(), heap_.end());
    IoOp* op = heap_.back().op;
    heap_.pop_back();
    return op;
  }

 private:
  struct Entry {
    Time until;
    IoOp* op;
    bool operator<(const Entry& other) const { return until > other.until; }  // earliest on top
  };
  std::vector<Entry> heap_;
};

}  // namespace precipice
