// The backend that the generator serves, step by step: what goes first, slow readers, clients that
// leave and a stop at each stage of a request. Nothing here waits for time to pass.
#include "harness/trial/rpc_backend.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "harness/trial/drain.hpp"
#include "models/io.hpp"
#include "models/model.hpp"
#include "workloads/descriptor.hpp"
#include "workloads/rpc_protocol.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

constexpr int kSteps = 16;  // more than accept, read and answer need
constexpr std::uint64_t kHourNs = 3'600'000'000'000;

class CallersBackend : public ::testing::Test {
 protected:
  Descriptor client() {
    Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = backend_.address();
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  static void ask(const Descriptor& fd, const RpcRequest& request,
                  std::size_t bytes = sizeof(RpcRequest)) {
    ASSERT_EQ(send(fd.get(), &request, bytes, MSG_NOSIGNAL), static_cast<ssize_t>(bytes));
  }
  /// Whatever is there for this moment.
  void serve() {
    for (int i = 0; i < kSteps; ++i) backend_.serve_until(Io::now(), 0ns);
  }
  std::uint64_t connections() { return backend_.report().connections; }
  static ssize_t received(const Descriptor& fd) {
    std::byte bytes[4096];
    return recv(fd.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  }
  static bool closed(const Descriptor& fd) {
    for (ssize_t got; (got = received(fd)) <= 0;) return got == 0 || errno == ECONNRESET;
    return closed(fd);
  }

  Backend backend_{CpuSet(), BackendThread::callers};
};

TEST_F(CallersBackend, AnswersOnlyWhenItIsServed) {
  const Descriptor fd = client();
  ask(fd, {.reply_bytes = 64});
  EXPECT_EQ(received(fd), -1);
  serve();
  EXPECT_EQ(received(fd), 64);
  const BackendReport report = backend_.report();
  EXPECT_EQ(report.requests, 1U);
  EXPECT_EQ(report.connections, 1U);
  EXPECT_EQ(report.cpu_ns, 0);  // its caller's, who accounts for it
  EXPECT_FALSE(report.stopped);
}

TEST_F(CallersBackend, WhatCameAfterAnArrivalWaitsForIt) {
  const Time before = Io::now();
  const Descriptor fd = client();
  ask(fd, {.reply_bytes = 64});
  for (int i = 0; i < kSteps; ++i) backend_.serve_until(before, 0ns);
  EXPECT_EQ(connections(), 0U);
  serve();
  EXPECT_EQ(connections(), 1U);
}

TEST_F(CallersBackend, AReplyThatWasDueBeforeAnArrivalGoesFirst) {
  const Descriptor early = client(), late = client();
  ask(early, {.reply_bytes = 64, .delay_ns = 1});
  ask(late, {.reply_bytes = 64, .delay_ns = kHourNs});
  serve();
  EXPECT_EQ(connections(), 2U);
  EXPECT_EQ(received(early), 64);
  EXPECT_EQ(received(late), -1);
}

TEST_F(CallersBackend, ReturnsAtOnceWhenTheArrivalIsDue) {
  // Also with a margin beyond it, and whatever else is far away.
  const Descriptor fd = client();
  ask(fd, {.reply_bytes = 64, .delay_ns = kHourNs});
  for (const Nanos margin : {Nanos(0), Nanos(1h)}) {
    for (int i = 0; i < kSteps; ++i) backend_.serve_until(Io::now(), margin);
  }
  EXPECT_EQ(connections(), 1U);
}

TEST_F(CallersBackend, ALargeReplyLeavesInPiecesBetweenArrivals) {
  const Descriptor fd = client();
  ask(fd, {.reply_bytes = kLargestReply});
  std::vector<std::byte> whole(kLargestReply), got(kLargestReply);
  std::size_t at = 0;
  // A slow reader: the socket fills up, and takes more once some of it was read.
  int empty = 0;
  while (at < got.size() && empty < 1'000'000) {
    backend_.serve_until(Io::now(), 0ns);
    const ssize_t count = recv(fd.get(), got.data() + at,
                               std::min<std::size_t>(10'000, got.size() - at), MSG_DONTWAIT);
    if (count > 0) at += static_cast<std::size_t>(count);
    empty = count > 0 ? 0 : empty + 1;
  }
  fill_reply(0, 0, whole);
  EXPECT_EQ(got, whole);
  EXPECT_EQ(backend_.report().requests, 1U);
  // And the next request on the same connection.
  ask(fd, {.reply_bytes = 64});
  serve();
  EXPECT_EQ(received(fd), 64);
}

/// Has a request in flight until its client has read the answer.
class UntilAnswered final : public Model {
 public:
  explicit UntilAnswered(const Descriptor& client) : client_(client) {}
  unsigned executors(const CpuSet&) const override { return 1; }
  void start(const ModelSetup&) override {}
  Refusal submit(const Request&) noexcept override { return Refusal::none; }
  void shutdown(Time) noexcept override {}
  std::uint64_t in_flight() const noexcept override {
    std::byte bytes[64];
    return recv(client_.get(), bytes, sizeof bytes, MSG_DONTWAIT) == 64 ? 0 : 1;
  }
  ModelStats stats() const override { return {}; }

 private:
  const Descriptor& client_;
};

TEST_F(CallersBackend, TheDrainGoesOnServing) {
  for (const Nanos margin : {Nanos(0), Nanos(1h)}) {
    const Descriptor fd = client();
    ask(fd, {.reply_bytes = 64});
    const Time far_away = Io::now() + 10h;
    EXPECT_EQ(wait_for_drain(UntilAnswered(fd), far_away, nullptr, &backend_, margin), far_away);
  }
}

/// How far a request has come.
enum class Stage { connected, accepted, half_asked, asked, waiting, blocked, answered };
constexpr Stage kStages[] = {Stage::connected, Stage::accepted, Stage::half_asked, Stage::asked,
                             Stage::waiting,   Stage::blocked,  Stage::answered};

class CallersBackendAt : public CallersBackend, public ::testing::WithParamInterface<Stage> {
 protected:
  Descriptor client_at_stage() {
    Descriptor fd = client();
    const Stage stage = GetParam();
    if (stage == Stage::connected) return fd;
    serve();
    if (stage == Stage::half_asked) ask(fd, {}, sizeof(RpcRequest) / 2);
    if (stage == Stage::asked) ask(fd, {.reply_bytes = 64});
    if (stage == Stage::waiting) ask(fd, {.reply_bytes = 64, .delay_ns = kHourNs});
    if (stage == Stage::blocked) ask(fd, {.reply_bytes = kLargestReply});
    if (stage == Stage::answered) ask(fd, {.reply_bytes = 64});
    if (stage != Stage::asked) serve();
    if (stage == Stage::answered) {
      EXPECT_EQ(received(fd), 64);
    }
    return fd;
  }
};

INSTANTIATE_TEST_SUITE_P(Stages, CallersBackendAt, ::testing::ValuesIn(kStages));

TEST_P(CallersBackendAt, AClientThatLeavesIsForgottenAndOthersAreServed) {
  client_at_stage();
  serve();
  EXPECT_EQ(connections(), 0U);
  const Descriptor other = client();
  ask(other, {.reply_bytes = 64});
  serve();
  EXPECT_EQ(received(other), 64);
  EXPECT_EQ(connections(), 1U);
}

TEST_P(CallersBackendAt, AStopClosesTheConnection) {
  const Descriptor fd = client_at_stage();
  backend_.stop();
  EXPECT_TRUE(closed(fd));
  EXPECT_TRUE(backend_.report().stopped);
  serve();  // as a generator goes on doing
  backend_.stop();
}

TEST_P(CallersBackendAt, AnotherThreadCanAskForAStop) {
  const Descriptor fd = client_at_stage();
  std::thread([this] { backend_.stop(); }).join();
  EXPECT_TRUE(backend_.report().stopped);
  serve();
  EXPECT_TRUE(closed(fd));
  serve();
}

}  // namespace
}  // namespace precipice
