// What peers, files and limits do to a request: replies byte by byte, connections that are reset, a
// file that is cut, no descriptors left while a model starts and in the middle. The workloads are
// the real ones, so a right answer is the digest that plain system calls give.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include "tests/faults/fault_rig.hpp"
#include "tests/support/plain_io.hpp"
#include "tests/support/process_entries.hpp"
#include "tests/support/sanitized.hpp"
#include "workloads/connections.hpp"
#include "workloads/rpc_protocol.hpp"

namespace precipice::testing {
namespace {

using namespace std::chrono_literals;

/// Answers calls of the rpc workload at once, and badly when told to. A thread for each connection.
class Peer {
 public:
  explicit Peer(std::size_t piece = 1 << 20, std::uint64_t reset_every = 0)
      : piece_(piece), reset_every_(reset_every) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address_), size), 0);
    EXPECT_EQ(::listen(listener_, 256), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &size);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& each : connections_) each.join();
    ::close(listener_);
  }
  const sockaddr_in& address() const { return address_; }
  std::uint64_t resets() const { return resets_.load(); }

 private:
  void accept_all() {
    for (;;) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0 && errno == EINTR) continue;
      if (socket < 0 && errno == EMFILE) {  // a test has taken them away, and brings them back
        std::this_thread::sleep_for(1ms);
        continue;
      }
      if (socket < 0) return;
      connections_.emplace_back([this, socket] {
        serve(socket);
        ::close(socket);
      });
    }
  }
  void serve(int socket) {
    for (;;) {
      RpcRequest call;
      auto* bytes = reinterpret_cast<std::byte*>(&call);
      for (std::size_t done = 0; done < sizeof call;) {
        const ssize_t got = ::recv(socket, bytes + done, sizeof call - done, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return;
        done += static_cast<std::size_t>(got);
      }
      std::vector<std::byte> reply(call.reply_bytes);
      fill_reply(call.seed, 0, reply);
      const bool reset = reset_every_ != 0 && calls_.fetch_add(1) % reset_every_ == 0;
      if (reset) reply.resize(reply.size() / 2);
      for (std::size_t done = 0; done < reply.size();) {
        const ssize_t sent = ::send(socket, reply.data() + done,
                                    std::min(piece_, reply.size() - done), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return;
        done += static_cast<std::size_t>(sent);
      }
      if (reset) {
        resets_.fetch_add(1);
        const linger at_once{1, 0};
        ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        return;
      }
    }
  }

  const std::size_t piece_;
  const std::uint64_t reset_every_;
  int listener_ = -1;
  sockaddr_in address_{};
  std::atomic<std::uint64_t> calls_{0};
  std::atomic<std::uint64_t> resets_{0};
  std::list<std::thread> connections_;
  std::thread acceptor_;
};

/// No more than `spare` descriptors beyond those open now.
class DescriptorsLimited {
 public:
  explicit DescriptorsLimited(int spare) {
    load_names_for_suppressions();
    getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest = ::dup(0);  // the lowest free number, so there are no gaps below it
    ::close(lowest);
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(lowest + spare);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  DescriptorsLimited(const DescriptorsLimited&) = delete;
  DescriptorsLimited& operator=(const DescriptorsLimited&) = delete;
  ~DescriptorsLimited() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

class FaultsSockets : public ::testing::TestWithParam<FaultVariant> {
 protected:
  static WorkloadSetup calls_to(const Peer& peer) {
    const ModelInfo& info = model_named(GetParam().model);
    const auto model = info.make(Options(info.name, info.options, GetParam().given));
    return {.executors = model->executors(CpuSet::of_this_thread()),
            .concurrency = 4,
            .backend = peer.address()};
  }
  static std::vector<std::uint64_t> right_digests(Workload& workload, std::uint64_t count) {
    PlainIo io;
    std::vector<std::uint64_t> digests;
    for (std::uint64_t seed = 0; seed < count; ++seed) {
      digests.push_back(run_request(workload, io, seed).digest);
    }
    return digests;
  }
  static void expect_right(const FaultBench& bench, const std::vector<std::uint64_t>& digests,
                           std::size_t from = 0) {
    for (std::size_t id = from; id < digests.size(); ++id) {
      if (bench.slots[id].end == End::completed) {
        EXPECT_EQ(bench.slots[id].digest, digests[id]) << "request " << id;
      }
    }
  }
};

const std::map<std::string, std::string> kCalls{
    {"wait", "0s"}, {"connections", "4"}, {"bytes", "200"}};

TEST_P(FaultsSockets, AReplyByteByByteIsPutTogether) {
  constexpr std::uint64_t kRequests = 16;
  const Peer good;
  const auto plain = make_workload("rpc", kCalls);
  plain->prepare(calls_to(good));
  const auto digests = right_digests(*plain, kRequests);
  plain->finish();

  const Peer slow(1);
  const auto workload = make_workload("rpc", kCalls);
  workload->prepare(calls_to(slow));
  {
    FaultBench bench(GetParam(), kRequests, *workload);
    bench.start();
    bench.submit_all();
    bench.shutdown_drained();
    EXPECT_EQ(bench.ends().completed, kRequests);
    expect_right(bench, digests);
  }
  workload->finish();
}

TEST_P(FaultsSockets, AConnectionThatIsResetFailsOneRequest) {
  constexpr std::uint64_t kRequests = 90;
  const Peer good;
  const auto plain = make_workload("rpc", kCalls);
  plain->prepare(calls_to(good));
  const auto digests = right_digests(*plain, kRequests);
  plain->finish();

  const Peer resetting(1 << 20, 3);
  const auto workload = make_workload("rpc", kCalls);
  workload->prepare(calls_to(resetting));
  {
    FaultBench bench(GetParam(), kRequests, *workload);
    bench.start();
    bench.submit_all();
    bench.shutdown_drained();
    const Ends ends = bench.ends();
    EXPECT_EQ(resetting.resets(), kRequests / 3);
    EXPECT_EQ(ends.errors, (std::map<int, std::uint64_t>{{ECONNRESET, kRequests / 3}}));
    EXPECT_EQ(ends.completed, kRequests - kRequests / 3);
    expect_right(bench, digests);
  }
  workload->finish();
}

TEST_P(FaultsSockets, WithoutADescriptorFailsTheRequestAndRecovers) {
  const Peer peer;
  const auto workload = make_workload("rpc", kCalls);
  workload->prepare(calls_to(peer));
  {
    FaultBench bench(GetParam(), 60, *workload);
    bench.start();
    {
      const DescriptorsLimited none(0);
      bench.submit_range(0, 30);
      bench.wait_ended(30);
    }
    bench.submit_range(30, 60);
    bench.shutdown_drained();
    const Ends ends = bench.ends();
    EXPECT_EQ(ends.errors, (std::map<int, std::uint64_t>{{EMFILE, 30}}));
    EXPECT_EQ(ends.completed, 30U);
  }
  workload->finish();
}

Task<Outcome> accept_one(FaultBench& bench, Io& io, Request request) {
  const std::int64_t socket = co_await io.accept(bench.descriptors[0]);
  if (socket < 0) co_return Outcome::failed(socket);
  io.close(static_cast<int>(socket));
  co_return Outcome::ok(request.seed);
}

TEST_P(FaultsSockets, WithoutADescriptorAnAcceptFailsAndLeavesThePeerWaiting) {
  constexpr std::uint64_t kClients = 6;
  FaultBench bench(GetParam(), 2 * kClients, accept_one);
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 64), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::vector<int> clients;
  for (std::uint64_t i = 0; i < kClients; ++i) {
    clients.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(clients.back(), reinterpret_cast<sockaddr*>(&address), size), 0);
  }
  bench.descriptors = {listener};
  bench.start();
  {
    const DescriptorsLimited none(0);
    bench.submit_range(0, kClients);
    bench.wait_ended(kClients);
  }
  bench.submit_range(kClients, 2 * kClients);
  bench.shutdown_drained();
  const Ends ends = bench.ends();
  EXPECT_EQ(ends.errors, (std::map<int, std::uint64_t>{{EMFILE, kClients}}));
  EXPECT_EQ(ends.completed, kClients);
  bench.model.reset();
  for (const int each : clients) ::close(each);
  ::close(listener);
}

TEST(FaultsDescriptors, NoneLeftAreNotTakenForMany) {
  raise_descriptor_limit();  // raises the limit, which would undo the one below
  std::vector<int> taken;
  for (int fd = ::dup(0); fd >= 0 && taken.size() < 200'000; fd = ::dup(0)) taken.push_back(fd);
  const std::size_t left = raise_descriptor_limit();
  for (const int each : taken) ::close(each);
  EXPECT_EQ(left, 0U);
  EXPECT_GT(raise_descriptor_limit(), 0U);
}

Task<Outcome> sleep_once(FaultBench&, Io& io, Request request) {
  const std::int64_t slept = co_await io.sleep(50us);
  co_return slept < 0 ? Outcome::failed(slept) : Outcome::ok(request.seed);
}

TEST_P(FaultsSockets, WithoutDescriptorsAModelSaysSoOrWorks) {
#if defined(__SANITIZE_ADDRESS__)
  // UBSan opens a pipe to look at the object that is thrown, and takes a pipe that it cannot have
  // for an object that is not there.
  if (!GetParam().blocks()) GTEST_SKIP() << "UBSan needs descriptors of its own here";
#endif
  bool started = false;
  int spare = 0;
  for (; !started; ++spare) {
    ASSERT_LT(spare, 100);
    SCOPED_TRACE(spare);
    FaultBench bench(GetParam(), 10, sleep_once);
    const std::size_t before = descriptors_now();
    try {
      const DescriptorsLimited limited(spare);
      bench.start();
      bench.submit_all();
      bench.wait_ended(10);
      started = true;
    } catch (const Unavailable& reason) {
      EXPECT_NE(std::string(reason.what()).find("ulimit -n"), std::string::npos) << reason.what();
    }
    bench.shutdown_drained();
    EXPECT_EQ(bench.ends().completed, started ? 10U : 0U);
    bench.model.reset();
    EXPECT_EQ(descriptors_now(), before);
  }
  EXPECT_EQ(spare == 1, GetParam().blocks()) << "asynchronous engines need descriptors";
}

TEST_P(FaultsSockets, AFileThatIsCutFailsWhatIsMissing) {
  constexpr std::uint64_t kRequests = 400;
  const std::string scratch = ::testing::TempDir() + "precipice-cut-" + GetParam().label;
  std::filesystem::create_directories(scratch);
  const auto workload = make_workload("file", {{"size", "256KiB"}, {"direct", "off"}});
  workload->prepare({.executors = 2, .scratch_directory = scratch});
  const auto digests = right_digests(*workload, kRequests);
  std::string path;
  for (const auto& entry : std::filesystem::directory_iterator(scratch)) path = entry.path();
  {
    FaultBench bench(GetParam(), kRequests, *workload);
    bench.start();
    std::thread submitter([&bench] { bench.submit_range(0, kRequests / 2); });
    FaultBench::wait_for(bench.offered, 20);
    // Inside a block, so that some reads are short and the next finds the end.
    ASSERT_EQ(::truncate(path.c_str(), 128 * 1024 + 1000), 0);
    // The kernel clears the cut page's rest, and a read under way may find the old length and
    // zeros: what was submitted by now may be whole and wrong, which is what digests are for.
    const std::size_t after_cut = bench.offered.load() + 1;
    submitter.join();
    bench.submit_range(kRequests / 2, kRequests);
    bench.shutdown_drained();
    const Ends ends = bench.ends();
    EXPECT_EQ(ends.shed, 0U);
    EXPECT_GT(ends.completed, 0U);
    EXPECT_GT(ends.errors.at(EIO), 0U);
    EXPECT_EQ(ends.errors.size(), 1U);
    expect_right(bench, digests, after_cut);
  }
  workload->finish();
  std::filesystem::remove_all(scratch);
}

INSTANTIATE_TEST_SUITE_P(All, FaultsSockets, ::testing::ValuesIn(fault_variants()), fault_label);

}  // namespace
}  // namespace precipice::testing
