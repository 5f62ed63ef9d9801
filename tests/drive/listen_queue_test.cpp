#include "harness/drive/listen_queue.hpp"

#include <gtest/gtest.h>

namespace precipice {
namespace {

TEST(ListenQueue, ReadsTheKernelsCounters) {
  EXPECT_EQ(parse_listen_overflows("TcpExt: SyncookiesSent ListenOverflows ListenDrops Last\n"
                                   "TcpExt: 5 17 18 4\n"
                                   "IpExt: InNoRoutes\nIpExt: 3\n"),
            18U);
  EXPECT_EQ(parse_listen_overflows("IpExt: A\nIpExt: 9\nTcpExt: ListenDrops\nTcpExt: 0\n"), 0U);
}

TEST(ListenQueue, KnowsNothingWhereTheKernelShowsNothing) {
  EXPECT_EQ(parse_listen_overflows(""), std::nullopt);
  EXPECT_EQ(parse_listen_overflows("TcpExt: Other\nTcpExt: 1\n"), std::nullopt);
  EXPECT_EQ(parse_listen_overflows("TcpExt: ListenDrops\n"), std::nullopt);
  EXPECT_EQ(read_listen_overflows("/nonexistent"), std::nullopt);
}

}  // namespace
}  // namespace precipice
