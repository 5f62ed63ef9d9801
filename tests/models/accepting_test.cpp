// A loop that accepts all connections of a listening socket, on every engine: where connections are
// accepted ahead, none is lost and none is yielded twice.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "models/model.hpp"
#include "tests/support/async_models.hpp"
#include "tests/support/process_entries.hpp"

namespace precipice {

ModelInfo thread_per_request_model();
ModelInfo event_loop_model();
ModelInfo io_uring_model();

namespace {

using namespace std::chrono_literals;
using testing::AsyncBench;
using testing::AsyncVariant;
using testing::descriptors_now;

constexpr int kConnections = 1000;

class AcceptLoops : public testing::AsyncModels {
 protected:
  /// A listening socket on a port that the kernel chooses, non-blocking or not.
  static int listen_on(AsyncBench& bench, int flags) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    bench.address.sin_family = AF_INET;
    bench.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&bench.address), sizeof bench.address),
              0);
    EXPECT_EQ(::listen(listener, 4096), 0);
    socklen_t size = sizeof bench.address;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&bench.address), &size);
    return bench.descriptor = listener;
  }
  static int connect_to(const AsyncBench& bench) {
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(
        ::connect(client, reinterpret_cast<const sockaddr*>(&bench.address), sizeof bench.address),
        0);
    return client;
  }
};

/// Each connection gets one byte, so that its client knows that a call has yielded it.
Task<void> accept_and_greet(void* context, Io& io, Request request) {
  AsyncBench& bench = *static_cast<AsyncBench*>(context);
  std::int64_t count = 0;
  for (;;) {
    const auto connection = co_await io.accept_ahead(bench.descriptor);
    if (connection < 0) break;
    const std::byte hello{1};
    const auto sent = co_await io.send(static_cast<int>(connection), {&hello, 1});
    if (sent == 1) ++count;
    io.close(static_cast<int>(connection));
    ++bench.begun;
    if (count == kConnections / 2) {
      // Connections go on coming meanwhile.
      const auto slept = co_await io.sleep(20ms);
      if (slept != 0) break;
    }
  }
  io.close(bench.descriptor);
  bench.ended(request, count);
}

TEST_P(AcceptLoops, YieldEveryConnectionOnce) {
  for (const int flags : {0, static_cast<int>(SOCK_NONBLOCK)}) {
    const std::size_t before = descriptors_now();
    {
      AsyncBench bench(GetParam(), 1, accept_and_greet);
      const int listener = listen_on(bench, flags);
      bench.start();
      bench.submit_all();
      int greeted = 0;
      std::vector<int> clients;
      for (int i = 0; i < kConnections; ++i) {
        clients.push_back(connect_to(bench));
        if (clients.size() < 50) continue;
        for (const int client : clients) {
          char byte = 0;
          greeted += ::recv(client, &byte, 1, 0) == 1 ? 1 : 0;
          ::close(client);
        }
        clients.clear();
      }
      EXPECT_EQ(greeted, kConnections);
      bench.wait_for(bench.begun, kConnections);
      ::shutdown(listener, SHUT_RD);  // ends the loop, as a server does
      bench.shutdown_drained();
      bench.expect_each_ended_once();
      EXPECT_EQ(bench.result[0], kConnections);
    }
    EXPECT_EQ(descriptors_now(), before);
  }
}

TEST_P(AcceptLoops, CloseWhatTheyHaveNotYieldedWhenTheyAreStopped) {
  const std::size_t before = descriptors_now();
  {
    AsyncBench bench(GetParam(), 1, [](void* context, Io& io, Request request) -> Task<void> {
      AsyncBench& own = *static_cast<AsyncBench*>(context);
      const auto first = co_await io.accept_ahead(own.descriptor);
      if (first >= 0) io.close(static_cast<int>(first));
      ++own.begun;
      const auto slept = co_await io.sleep(std::chrono::hours(1));
      io.close(own.descriptor);
      own.ended(request, slept);
    });
    listen_on(bench, SOCK_NONBLOCK);
    bench.start();
    bench.submit_all();
    std::vector<int> clients = {connect_to(bench)};
    bench.wait_for(bench.begun, 1);
    for (int i = 0; i < 100; ++i) clients.push_back(connect_to(bench));
    bench.shutdown_now();
    bench.expect_each_ended_once();
    // Accepted ahead or still in the queue of the socket: nobody is left waiting for an answer.
    for (const int client : clients) {
      char byte = 0;
      EXPECT_LE(::recv(client, &byte, 1, 0), 0);
      ::close(client);
    }
  }
  EXPECT_EQ(descriptors_now(), before);
}

TEST_P(AcceptLoops, EndWhenTheyAreCancelledWithoutAConnection) {
  const std::size_t before = descriptors_now();
  {
    AsyncBench bench(GetParam(), 1, [](void* context, Io& io, Request request) -> Task<void> {
      AsyncBench& own = *static_cast<AsyncBench*>(context);
      ++own.begun;
      const auto connection = co_await io.accept_ahead(own.descriptor);
      io.close(own.descriptor);
      own.ended(request, connection);
    });
    listen_on(bench, 0);
    bench.start();
    bench.submit_all();
    bench.wait_for(bench.begun, 1);
    bench.shutdown_now();
    bench.expect_each_ended_once();
    EXPECT_EQ(bench.result[0], -ECANCELED);
  }
  EXPECT_EQ(descriptors_now(), before);
}

INSTANTIATE_TEST_SUITE_P(
    , AcceptLoops,
    ::testing::Values(AsyncVariant{"thread_per_request", thread_per_request_model, {}},
                      AsyncVariant{"event_loop", event_loop_model, {}},
                      AsyncVariant{"io_uring", io_uring_model, {}},
                      AsyncVariant{"io_uring_spinning", io_uring_model, {{"spin", "50us"}}}),
    [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace precipice
