#include "harness/trial/queues.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace precipice {
namespace {

struct Arrival {
  double at = 0, service = 0;
};
using Ends = std::vector<std::pair<std::size_t, double>>;

/// Which request ends when.
Ends ends_of(Preemption queue, const std::vector<Arrival>& arrivals) {
  Ends ends;
  const auto serve_until = [&](double time) {
    while (queue.size() > 0 && queue.next_end() <= time) {
      const double at = queue.next_end();
      ends.emplace_back(queue.end(at), at);
    }
  };
  for (std::size_t id = 0; id < arrivals.size(); ++id) {
    serve_until(arrivals[id].at);
    queue.arrive(arrivals[id].at, id, arrivals[id].service);
  }
  serve_until(1e9);
  return ends;
}

TEST(PreemptionQueue, AnArrivalInterruptsAndTheFirstInterruptedGoesOnFirst) {
  // At 4 request 1 takes the server from 0, which has 6 to go; at 5 request 2 takes it from 1.
  EXPECT_EQ(ends_of(Preemption(1, 100), {{0, 10}, {4, 3}, {5, 1}}),
            (Ends{{2, 6}, {0, 12}, {1, 14}}));
}

TEST(PreemptionQueue, TakesTheServerThatIsLongestAtItsRequest) {
  // At 2 request 2 takes the server of 0; that of 1 is free at 5, and 0 has 8 to go.
  EXPECT_EQ(ends_of(Preemption(2, 100), {{0, 10}, {1, 4}, {2, 10}}),
            (Ends{{1, 5}, {2, 12}, {0, 13}}));
}

TEST(PreemptionQueue, WhatExceedsTheMostAtOnceWaitsAndIsBegunBeforeTheInterrupted) {
  // 2 finds two begun; it is begun when 1 ends at 7.
  EXPECT_EQ(ends_of(Preemption(1, 2), {{0, 10}, {4, 3}, {5, 1}}), (Ends{{1, 7}, {2, 8}, {0, 14}}));
}

TEST(PreemptionQueue, OfOneAtOnceIsFirstComeFirstServed) {
  EXPECT_EQ(ends_of(Preemption(1, 1), {{0, 10}, {4, 3}, {5, 1}}),
            (Ends{{0, 10}, {1, 13}, {2, 14}}));
}

TEST(PreemptionQueue, AnIdleServerIsTakenFirst) {
  EXPECT_EQ(ends_of(Preemption(2, 2), {{0, 10}, {4, 3}, {20, 1}}),
            (Ends{{1, 7}, {0, 10}, {2, 21}}));
}

}  // namespace
}  // namespace precipice
