#include "models/blocking_io.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "models/random.hpp"
#include "models/task.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

std::uint64_t spin(const void*, std::uint64_t seed) {
  for (int i = 0; i < 50; ++i) seed = mix64(seed);
  return seed;
}

struct Exchange {
  std::int64_t sent = 0, received = 0, read = 0, closed = 0, refused_file = 0;
  bool finished = false;
};

Task<void> echo(Io& io, const sockaddr_in* address, int listener, int file, Exchange* out) {
  const auto outgoing = co_await io.connect(*address);
  const auto incoming = co_await io.accept(listener);
  Lease lease = io.lease(4096);
  const char text[] = "precipice";
  out->sent = co_await io.send(static_cast<int>(outgoing), std::as_bytes(std::span(text)));
  out->received = co_await io.recv(static_cast<int>(incoming), lease.span());
  io.close(static_cast<int>(outgoing));
  out->closed = co_await io.recv(static_cast<int>(incoming), lease.span());
  io.close(static_cast<int>(incoming));
  out->read = co_await io.read(file, lease.span(), 4096);
  out->refused_file = co_await io.read(-1, lease.span(), 0);
  out->finished = reinterpret_cast<std::uintptr_t>(lease.span().data()) % 4096 == 0;
}

TEST(BlockingIo, ConnectsAcceptsSendsReceivesAndReads) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 4), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  char path[] = "/tmp/precipice-test-XXXXXX";
  const int file = ::mkstemp(path);
  ::unlink(path);
  ASSERT_EQ(::ftruncate(file, 6000), 0);

  BlockingIo io;
  Exchange result;
  echo(io, &address, listener, file, &result).start(nullptr, nullptr);
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.sent, 10);
  EXPECT_EQ(result.received, 10);
  EXPECT_EQ(result.closed, 0);
  EXPECT_EQ(result.read, 6000 - 4096);
  EXPECT_EQ(result.refused_file, -EBADF);
  ::close(listener);
  ::close(file);
}

Task<void> three_results(Io& io, std::array<std::int64_t, 3>* out) {
  (*out)[0] = co_await io.sleep(1h);
  (*out)[1] = co_await io.recv(0, {});
  const auto digest = co_await io.compute({&spin, nullptr, 7});
  (*out)[2] = static_cast<std::int64_t>(digest);
}

TEST(BlockingIo, AnswersCancelledAtOnceAfterCancelButStillComputes) {
  BlockingIo io;
  io.cancel();
  std::array<std::int64_t, 3> results{};
  three_results(io, &results).start(nullptr, nullptr);
  EXPECT_EQ(results[0], -ECANCELED);
  EXPECT_EQ(results[1], -ECANCELED);
  EXPECT_EQ(static_cast<std::uint64_t>(results[2]), spin(nullptr, 7));
}

}  // namespace
}  // namespace precipice
