// Connections that the model refuses.
#include "harness/serve/service.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

#include "harness/trial/spec.hpp"
#include "workloads/descriptor.hpp"
#include "workloads/workload.hpp"

namespace precipice::serve {
namespace {

constexpr std::string_view kAnyRequest = "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n";

class TurnedAway : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    peer_ = Descriptor(ends[0]);
    slot_ = table_.open(ends[1]);
    ASSERT_NE(slot_, nullptr);
  }
  void send_request() {
    ASSERT_EQ(::send(peer_.get(), kAnyRequest.data(), kAnyRequest.size(), 0),
              static_cast<ssize_t>(kAnyRequest.size()));
  }
  /// What the peer receives until the end.
  std::string receive_all() const {
    std::string all;
    char piece[1024];
    for (ssize_t got = 0; (got = ::recv(peer_.get(), piece, sizeof piece, 0)) > 0;)
      all.append(piece, static_cast<std::size_t>(got));
    return all;
  }

  const std::unique_ptr<Workload> workload_ = [] {
    const Spec spec = parse_workload("empty");
    const WorkloadInfo& info = workload_named(spec.name);
    return info.make(Options(info.name, info.options, spec.given));
  }();
  ConnectionTable table_{4, 1, {}};
  ServerMetrics metrics_{1};
  Service service_{*workload_, {}, table_, metrics_, 1, [] { return std::string(); }};
  Descriptor peer_;
  Slot* slot_ = nullptr;
};

TEST_F(TurnedAway, NewConnectionsAreAnswered) {
  service_.turn_away(*slot_);
  EXPECT_TRUE(receive_all().starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(service_.turned_away(), 1U);
  EXPECT_EQ(table_.count(), 0U);
}

TEST_F(TurnedAway, ParkedConnectionsWithARequestAreAnswered) {
  slot_->watched = true;
  send_request();
  service_.turn_away(*slot_);
  EXPECT_TRUE(receive_all().starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(service_.turned_away(), 1U);
}

TEST_F(TurnedAway, ParkedConnectionsThatTheirPeerEndedAreClosed) {
  slot_->watched = true;
  ::shutdown(peer_.get(), SHUT_WR);
  service_.turn_away(*slot_);
  EXPECT_EQ(receive_all(), "");
  EXPECT_EQ(service_.turned_away(), 0U);
  EXPECT_EQ(table_.count(), 0U);
}

TEST_F(TurnedAway, ParkedConnectionsWhoseTimeoutIsOverAreClosed) {
  slot_->watched = true;
  ::shutdown(slot_->fd, SHUT_RD);
  service_.turn_away(*slot_);
  EXPECT_EQ(receive_all(), "");
  EXPECT_EQ(service_.turned_away(), 0U);
}

}  // namespace
}  // namespace precipice::serve
