// GET and SET at a Redis server, over connections that are pooled per executor.
//
// A batch is a pipeline: its commands are sent without waiting for a reply in between, in pieces of
// kPipelineBytes. Unlike rpc, the pool does not grow with the load: one server thread executes all
// commands, so that a dozen connections keep it busy, and services bound their pools.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/blocking_io.hpp"
#include "models/random.hpp"
#include "workloads/connections.hpp"
#include "workloads/descriptor.hpp"
#include "workloads/fold.hpp"
#include "workloads/permit.hpp"
#include "workloads/redis_protocol.hpp"
#include "workloads/server_options.hpp"
#include "workloads/server_programs.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

/// Commands of a batch that are sent before their replies are received. It fits the buffers of two
/// sockets, and so does what most of its replies come to.
constexpr std::size_t kPipelineBytes = 16384;
/// What a command has besides its value, and a reply besides its own: at most.
constexpr std::size_t kOverheadBytes = 192;
constexpr std::uint64_t kMostConnections = 10'000;
/// Planning figure only: about what a GET takes over loopback.
constexpr Nanos kNominal = std::chrono::microseconds(50);
/// Keys that are written at a time while preparing.
constexpr std::uint64_t kLoadedAtOnce = 512;

/// A command, and what came of it.
struct Command {
  std::string_view head;  ///< the whole command, or a SET up to its value
  Operation operation = Operation::read;
  std::uint64_t key = 0;
  std::uint64_t seed = 0;
  std::string* text = nullptr;  ///< where a reply of another command than GET and SET goes
  Outcome outcome = Outcome::needless();
};

class Redis final : public Workload {
 public:
  explicit Redis(const Options& options)
      : operations_(options, "get", "set"),
        keys_(options, 0x7265646973),
        bytes_(value_bytes_option(options, "redis")),
        asked_(options.count("connections", 1, kMostConnections)),
        server_(server_option(options, "redis")) {
    for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed)
      heads_.push_back(head_of(operations_.of(seed), keys_[seed]));
  }

  Downstream downstream() const override { return server_ ? Downstream::none : Downstream::redis; }

  std::optional<sockaddr_in> server() const override { return server_; }

  void prepare(const WorkloadSetup& setup) override {
    if (!server_ && !setup.backend)
      throw Unavailable("redis: no server is running; the harness starts one for a trial");
    peer_ = server_ ? *server_ : *setup.backend;
    tabulating_ = setup.tabulating;
    pools_.clear();
    const unsigned executors = std::max(1U, setup.executors);
    const std::size_t each = connections_per_executor("redis", asked_, executors);
    for (unsigned i = 0; i < executors; ++i)
      pools_.push_back(std::make_unique<ConnectionPool>(each));
    connections_ = each * executors;

    BlockingIo io;
    Loaded loaded;
    load_into(*this, io, setup.may_give_up, loaded).start(nullptr, nullptr);
    if (loaded.failure) std::rethrow_exception(loaded.failure);
    if (loaded.result < 0) {
      throw Unavailable(fmt::format("redis: cannot prepare {} keys at {}: {}", keys_.count(),
                                    text_of(peer_),
                                    std::strerror(static_cast<int>(-loaded.result))));
    }
  }

  Task<Outcome> run(Io& io, const Request& request) override {
    Command call = call_of(request);
    const std::int64_t answered = co_await over_a_connection(io, {&call, 1});
    if (call.outcome.error == Outcome::kNeedless) call.outcome = Outcome::failed(answered);
    co_return call.outcome;
  }

  Task<void> run_many(Io& io, std::span<const Request> requests,
                      std::span<Outcome> outcomes) override {
    std::vector<Command> calls;
    calls.reserve(requests.size());
    for (const Request& request : requests) calls.push_back(call_of(request));
    const std::int64_t answered = co_await over_a_connection(io, calls);
    for (std::size_t i = 0; i < calls.size(); ++i) {
      outcomes[i] = calls[i].outcome.error == Outcome::kNeedless ? Outcome::failed(answered)
                                                                 : calls[i].outcome;
    }
  }

  void finish() override { pools_.clear(); }

  Nanos nominal_service() const override { return kNominal; }
  Nanos nominal_cpu() const override { return Nanos(0); }
  std::string note() const override {
    if (connections_ == 0) return "";
    return fmt::format("redis {}, connections={}",
                       version_.empty() ? "of unknown version" : version_, connections_);
  }

 private:
  /// With twelve digits, as redis-benchmark writes a random key.
  std::string name_of(std::uint64_t key) const {
    return fmt::format("precipice:{}:{}:{:012}", bytes_, keys_.count(), key);
  }
  std::string head_of(Operation operation, std::uint64_t key) const {
    return operation == Operation::read ? redis_command({"GET", name_of(key)})
                                        : redis_set_head(name_of(key), bytes_);
  }
  Command call_of(const Request& request) const {
    const std::uint64_t seed = request.seed % kTabulatedSeeds;
    return {.head = heads_[seed],
            .operation = operations_.of(seed),
            .key = keys_[seed],
            .seed = request.seed};
  }

  /// Yields 0 or -errno; calls that were not answered keep Outcome::needless().
  Task<std::int64_t> over_a_connection(Io& io, std::span<Command> calls) {
    ConnectionPool& pool = *pools_[io.executor() % pools_.size()];
    const std::int64_t entered = co_await io.acquire(pool.gate());
    if (entered < 0) co_return entered;
    const Permit permit(pool.gate());
    const Lease lease = io.lease(buffer_bytes(calls.size()));
    Connection connection(io, pool);
    if (!connection.open()) {
      const std::int64_t socket = co_await io.connect(peer_);
      if (socket < 0) co_return socket;
      connection.adopt(static_cast<int>(socket));
    }
    const std::int64_t exchanged = co_await exchange(io, connection.socket(), lease.span(), calls);
    if (exchanged == 0) connection.give_back();
    co_return exchanged;
  }

  std::size_t buffer_bytes(std::size_t calls) const {
    const std::size_t one = bytes_ + kOverheadBytes;
    return calls == 1 ? one : std::max(one, kPipelineBytes);
  }

  /// Sends as many commands as fit `buffer`, receives their replies, and so on. After an error the
  /// state of the stream is unknown.
  Task<std::int64_t> exchange(Io& io, int socket, std::span<std::byte> buffer,
                              std::span<Command> calls) {
    for (std::size_t next = 0; next < calls.size();) {
      std::size_t used = 0, end = next;
      while (end < calls.size() &&
             (end == next || used + command_bytes(calls[end]) <= buffer.size()))
        used += write_command(calls[end++], buffer.data() + used);
      for (std::span<const std::byte> rest = buffer.first(used); !rest.empty();) {
        const std::int64_t sent = co_await io.send(socket, rest);
        if (sent <= 0) co_return sent < 0 ? sent : -EPIPE;
        rest = rest.subspan(static_cast<std::size_t>(sent));
      }
      std::size_t at = 0, received = 0;
      while (next < end) {
        const RedisReply reply = parse_redis_reply(buffer.subspan(at, received - at));
        if (reply.kind == RedisReply::Kind::malformed) co_return -EPROTO;
        if (reply.kind != RedisReply::Kind::incomplete) {
          calls[next].outcome = outcome_of(calls[next], reply);
          at += reply.bytes;
          ++next;
          continue;
        }
        std::memmove(buffer.data(), buffer.data() + at, received - at);
        received -= std::exchange(at, 0);
        if (received == buffer.size()) co_return -EPROTO;  // longer than anything that was stored
        const std::int64_t got = co_await io.recv(socket, buffer.subspan(received));
        if (got <= 0) co_return got < 0 ? got : -ECONNRESET;
        received += static_cast<std::size_t>(got);
      }
      if (at != received) co_return -EPROTO;  // more replies than commands
    }
    co_return 0;
  }

  std::size_t command_bytes(const Command& call) const {
    return call.head.size() + (call.operation == Operation::write ? bytes_ + 2 : 0);
  }

  std::size_t write_command(const Command& call, std::byte* to) const {
    std::memcpy(to, call.head.data(), call.head.size());
    if (call.operation == Operation::write) {
      char* const value = reinterpret_cast<char*>(to) + call.head.size();
      write_value(call.key, value, bytes_);
      std::memcpy(value + bytes_, "\r\n", 2);
    }
    return command_bytes(call);
  }

  Outcome outcome_of(const Command& call, const RedisReply& reply) const {
    using Kind = RedisReply::Kind;
    if (call.text != nullptr) {
      call.text->assign(reinterpret_cast<const char*>(reply.content.data()), reply.content.size());
      return Outcome::ok(0);
    }
    if (reply.kind == Kind::error) return Outcome::failed(EREMOTEIO);
    if (reply.kind == Kind::none) return Outcome::failed(ENOENT);
    const bool expected =
        call.operation == Operation::read ? reply.kind == Kind::value : reply.kind == Kind::status;
    if (!expected) return Outcome::failed(EPROTO);
    if (tabulating_ && call.operation == Operation::read && !is_value(call.key, reply.content))
      return Outcome::failed(EBADMSG);  // a digest of it would make every right answer wrong
    const std::uint64_t salt = call.operation == Operation::read ? 0 : mix64(call.key + 1);
    return Outcome::ok(fold(reply.content, mix64(call.seed) ^ salt));
  }

  bool is_value(std::uint64_t key, std::span<const std::byte> content) const {
    std::vector<char> value(bytes_);
    write_value(key, value.data(), bytes_);
    return content.size() == bytes_ && std::memcmp(content.data(), value.data(), bytes_) == 0;
  }

  /// Writes every key, unless the key after them all says that this was done before: a server that
  /// lives longer than a trial keeps them. Yields 0 or -errno.
  Task<std::int64_t> load(Io& io, const std::function<void()>& may_give_up) {
    const std::int64_t connected = co_await io.connect(peer_);
    if (connected < 0) co_return connected;
    const Descriptor socket(static_cast<int>(connected));
    const Lease lease = io.lease(buffer_bytes(kLoadedAtOnce));
    std::string info;
    const std::string asks_info = redis_command({"INFO", "server"});
    const std::string asks_mark = head_of(Operation::read, keys_.count());
    std::vector<Command> calls{{.head = asks_info, .text = &info},
                               {.head = asks_mark, .key = keys_.count()}};
    const std::int64_t asked = co_await exchange(io, socket.get(), lease.span(), calls);
    if (asked < 0) co_return asked;
    version_ = version_in(info);
    const Outcome mark = calls[1].outcome;
    if (mark.error != ENOENT) co_return -mark.error;
    for (std::uint64_t from = 0; from <= keys_.count(); from += kLoadedAtOnce) {
      if (may_give_up) may_give_up();
      const std::uint64_t to = std::min(from + kLoadedAtOnce, keys_.count() + 1);
      const std::int64_t written = co_await write_keys(io, socket.get(), lease.span(), from, to);
      if (written < 0) co_return written;
    }
    co_return 0;
  }

  Task<std::int64_t> write_keys(Io& io, int socket, std::span<std::byte> buffer, std::uint64_t from,
                                std::uint64_t to) {
    std::vector<std::string> heads;
    std::vector<Command> calls;
    for (std::uint64_t key = from; key < to; ++key) heads.push_back(head_of(Operation::write, key));
    for (std::uint64_t key = from; key < to; ++key)
      calls.push_back({.head = heads[key - from], .operation = Operation::write, .key = key});
    const std::int64_t written = co_await exchange(io, socket, buffer, calls);
    if (written < 0) co_return written;
    for (const Command& call : calls) {
      if (!call.outcome.succeeded()) co_return -call.outcome.error;
    }
    co_return 0;
  }

  struct Loaded {
    std::int64_t result = -ECANCELED;
    std::exception_ptr failure;
  };
  static Task<void> load_into(Redis& redis, Io& io, const std::function<void()>& may_give_up,
                              Loaded& loaded) {
    try {
      loaded.result = co_await redis.load(io, may_give_up);
    } catch (...) {
      loaded.failure = std::current_exception();
    }
  }

  static std::string version_in(std::string_view info) {
    constexpr std::string_view kField = "redis_version:";
    const std::size_t at = info.find(kField);
    if (at == std::string_view::npos) return "";
    const std::string_view rest = info.substr(at + kField.size());
    return std::string(rest.substr(0, std::min(rest.find('\r'), rest.size())));
  }

  Operations operations_;
  SeedKeys keys_;
  std::size_t bytes_;
  std::uint64_t asked_;
  std::optional<sockaddr_in> server_;
  std::vector<std::string> heads_;  ///< by seed
  sockaddr_in peer_{};
  bool tabulating_ = false;
  std::string version_;
  std::size_t connections_ = 0;
  std::vector<std::unique_ptr<ConnectionPool>> pools_;  ///< by executor
};

}  // namespace

WorkloadInfo redis_workload() {
  return {
      .name = "redis",
      .summary = "GET and SET at a Redis server over loopback; a batch is a pipeline",
      .control = false,
      .waits = true,
      .options = {{"op", "get", "get, set, or mixed, which is half of each"},
                  {"keys", "10000",
                   "keys in the server, 1 to 10M; a trial touches at most 4,096 of them"},
                  {"bytes", "64", "size of a value, 1 to 1MiB"},
                  {"connections", "16",
                   "connections over all executors, 1 to 10k, at least one each; 16 keep the one "
                   "thread of a server busy"},
                  {"server", "",
                   "ADDRESS:PORT of a server that runs already, on this machine's loopback, where "
                   "keys that begin with precipice: are written and stay; default: the harness "
                   "starts redis-server, without persistence, and stops it"}},
      .make = [](const Options& options) -> std::unique_ptr<Workload> {
        return std::make_unique<Redis>(options);
      },
      .unavailable = []() -> std::optional<std::string> {
        if (redis_server_program()) return std::nullopt;
        return "there is no redis-server: apt-get install redis-server, or name one that runs by "
               "server=127.0.0.1:PORT";
      }};
}

}  // namespace precipice
