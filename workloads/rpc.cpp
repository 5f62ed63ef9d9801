// A call to a backend over TCP on loopback, which answers after a delay.
//
// Connections are pooled per executor, and a request without one waits for it. The default number
// therefore follows the load: with fewer than rate x wait connections every model would measure
// the pool and not itself.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/random.hpp"
#include "workloads/connections.hpp"
#include "workloads/draws.hpp"
#include "workloads/fold.hpp"
#include "workloads/parameters.hpp"
#include "workloads/permit.hpp"
#include "workloads/rpc_protocol.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

constexpr std::string_view kPerRequest = "per_request";
constexpr std::size_t kMostConnections = 1'000'000;
/// Descriptors left for everything else: rings, timers, the journal.
constexpr std::size_t kReservedDescriptors = 64;

/// How many connections to one address the kernel has local ports for.
std::size_t ephemeral_ports() {
  std::size_t low = 32768, high = 60999;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> low >> high;
  return high > low ? high - low + 1 : 1;
}

class Rpc final : public Workload {
 public:
  explicit Rpc(const Options& options)
      : mean_(mean_option(options, "rpc", "wait", true)),
        waits_(dist_option(options, "rpc"), mean_, 0x727063),
        free_(free_draws_option(options)),
        per_request_(options.text("connections") == kPerRequest),
        asked_(per_request_ ? 0 : options.count("connections", 0, kMostConnections)) {
    const std::uint64_t bytes = options.bytes("bytes");
    if (bytes < kSmallestReply || bytes > kLargestReply) {
      throw UsageError(
          fmt::format("rpc: bytes={} is not a size from 64 to 1MiB", options.text("bytes")));
    }
    reply_bytes_ = static_cast<std::uint32_t>(bytes);
  }

  Downstream downstream() const override { return Downstream::rpc; }

  void prepare(const WorkloadSetup& setup) override {
    if (!setup.backend) throw Unavailable("rpc: no backend is running to answer its calls");
    peer_ = *setup.backend;
    tabulating_ = setup.tabulating;
    waits_.draw_freely(free_ && !setup.calibrating);
    const std::size_t executors = std::max(1U, setup.executors);
    const std::size_t permits = permits_per_executor(setup, executors);
    pools_.clear();
    for (std::size_t i = 0; i < executors; ++i) {
      pools_.push_back(std::make_unique<ConnectionPool>(permits));
    }
    connections_ = permits * executors;
  }

  Task<Outcome> run(Io& io, const Request& request) override {
    const std::uint64_t seed = request.seed;
    const RpcRequest call{
        .reply_bytes = reply_bytes_, .id = request.id, .seed = seed, .delay_ns = delay_ns(request)};
    ConnectionPool& pool = *pools_[io.executor() % pools_.size()];

    const std::int64_t entered = co_await io.acquire(pool.gate());
    if (entered < 0) co_return Outcome::failed(entered);
    std::uint64_t digest = 0;
    {
      const Permit permit(pool.gate());
      // Only with a connection, so that a backlog of a million waits without a million buffers.
      const Lease lease = io.lease(reply_bytes_);
      const std::span<std::byte> reply = lease.span().first(reply_bytes_);
      Connection connection(io, pool);
      if (!connection.open()) {
        const std::int64_t socket = co_await io.connect(peer_);
        if (socket < 0) co_return Outcome::failed(socket);
        connection.adopt(static_cast<int>(socket));
      }
      for (auto rest = std::as_bytes(std::span(&call, 1)); !rest.empty();) {
        const std::int64_t sent = co_await io.send(connection.socket(), rest);
        if (sent <= 0) co_return Outcome::failed(sent < 0 ? sent : EPIPE);
        rest = rest.subspan(static_cast<std::size_t>(sent));
      }
      for (auto rest = reply; !rest.empty();) {
        const std::int64_t received = co_await io.recv(connection.socket(), rest);
        if (received <= 0) co_return Outcome::failed(received < 0 ? received : ECONNRESET);
        rest = rest.subspan(static_cast<std::size_t>(received));
      }
      if (!per_request_) connection.give_back();
      digest = fold(reply, mix64(seed));
    }
    co_return Outcome::ok(digest);
  }

  void finish() override { pools_.clear(); }

  Nanos nominal_service() const override { return mean_; }
  Nanos nominal_draw(std::uint64_t seed) const override { return waits_[seed]; }
  Nanos nominal_cpu() const override { return Nanos(0); }
  std::string note() const override {
    if (connections_ == 0) return "";
    if (per_request_)
      return fmt::format("a connection per request, at most {} at once", connections_);
    return fmt::format("connections={}{}", connections_,
                       cut_ ? " (all that the limits allow)" : "");
  }

 private:
  std::uint64_t delay_ns(const Request& request) const {
    return tabulating_ ? 0 : static_cast<std::uint64_t>(waits_.of(request).count());
  }

  std::size_t permits_per_executor(const WorkloadSetup& setup, std::size_t executors) {
    const double waiting = setup.rate_per_s * static_cast<double>(mean_.count()) * 1e-9;
    const bool automatic = asked_ == 0;
    double wanted = static_cast<double>(asked_);
    double needed = wanted;  // with fewer the trial would be about the pool
    if (automatic && setup.concurrency > 0) {
      wanted = needed = static_cast<double>(setup.concurrency);
    } else if (automatic) {
      wanted = std::ceil(2 * waiting) + 64;
      needed = std::ceil(waiting) + 64;
    }
    if (per_request_) wanted = static_cast<double>(kMostConnections);
    double each = std::ceil(wanted / static_cast<double>(executors));
    // Requests do not spread evenly over executors, and one that is out of connections waits while
    // its neighbour has some to spare.
    if (automatic && executors > 1) each += std::ceil(2 * std::sqrt(each));

    // The backend lives in this process too, so that a connection takes two descriptors.
    const std::size_t descriptors = raise_descriptor_limit();
    const std::size_t by_descriptors =
        descriptors > kReservedDescriptors ? (descriptors - kReservedDescriptors) / 2 : 0;
    const std::size_t ports = ephemeral_ports();
    const std::size_t limit = std::min(by_descriptors, ports);
    const double most = static_cast<double>(limit / executors);
    cut_ = each > most && !per_request_;
    if (most < 1 || needed > static_cast<double>(limit)) {
      throw Unavailable(fmt::format(
          "rpc: {:.0f} connections are needed and {} can be opened; {}, or ask for fewer "
          "(rpc:connections=N, a lower rate or a shorter wait)",
          needed, limit,
          by_descriptors <= ports ? "raise the limit on open files (ulimit -Hn)"
                                  : "widen net.ipv4.ip_local_port_range"));
    }
    return static_cast<std::size_t>(std::min(each, most));
  }

  Nanos mean_;
  Draws waits_;
  bool free_;
  bool per_request_;
  std::uint64_t asked_;
  std::uint32_t reply_bytes_ = 0;
  sockaddr_in peer_{};
  bool tabulating_ = false;
  bool cut_ = false;
  std::size_t connections_ = 0;
  std::vector<std::unique_ptr<ConnectionPool>> pools_;  ///< by executor
};

}  // namespace

WorkloadInfo rpc_workload() {
  return {.name = "rpc",
          .summary = "a TCP round trip on loopback to a backend that answers after a delay",
          .control = false,
          .waits = true,
          .options = {{"wait", "5ms",
                       "mean delay of the backend, 0 to 1m; 5ms is a call to a service in the same "
                       "data centre"},
                      {"dist", "fixed", kDistHelp},
                      {"draws", "stratified", kDrawsHelp},
                      {"connections", "0",
                       "connections over all executors; 0 gives as many as the load needs: twice "
                       "rate x wait, and 64, or the number in flight of a closed loop; "
                       "per_request opens one for each request and resets it at its end, so that "
                       "none stays in TIME_WAIT"},
                      {"bytes", "256", "size of a reply, 64 to 1MiB"}},
          .make = [](const Options& options) -> std::unique_ptr<Workload> {
            return std::make_unique<Rpc>(options);
          }};
}

}  // namespace precipice
