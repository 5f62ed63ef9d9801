// Prepared statements at a PostgreSQL server, through libpq's non-blocking interface over
// connections that are pooled per executor.
//
// Of a batch, all rows to insert are one statement, whose arrays the server unnests, so that one
// prepared statement serves every size; the rows to select are a pipeline. The server has a process
// for each connection, so the pool is bounded, as services bound theirs.
#include "workloads/postgres.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <exception>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/blocking_io.hpp"
#include "models/random.hpp"
#include "workloads/fold.hpp"
#include "workloads/permit.hpp"
#include "workloads/postgres_connection.hpp"
#include "workloads/postgres_tables.hpp"
#include "workloads/server_options.hpp"

namespace precipice {
namespace {

constexpr std::uint64_t kMostBackends = 500;
/// SELECTs that are sent before their rows are received: some 100 bytes each, which fits the
/// buffers of two sockets.
constexpr std::size_t kPipelined = 64;
/// Rows of one INSERT.
constexpr std::size_t kMostRows = 1024;
/// Planning figure only: about what a SELECT takes over loopback.
constexpr Nanos kNominalSelect = std::chrono::microseconds(200);

/// A key as the text of a parameter.
class KeyText {
 public:
  explicit KeyText(std::uint64_t key) {
    *std::to_chars(text_.data(), text_.data() + text_.size() - 1, key).ptr = '\0';
  }
  const char* c_str() const { return text_.data(); }

 private:
  std::array<char, 24> text_{};
};

/// What a request does, and what came of it.
struct Call {
  Operation operation = Operation::read;
  std::uint64_t key = 0;
  std::uint64_t seed = 0;
  Outcome outcome = Outcome::needless();
};

/// A connection of a pool in use. Closed on destruction, unless it was given back.
class InUse {
 public:
  InUse(Io& io, PostgresPool& pool) : io_(io), pool_(pool), connection_(pool.take()) {}
  InUse(const InUse&) = delete;
  InUse& operator=(const InUse&) = delete;
  ~InUse() {
    if (connection_) connection_->close(io_);
  }
  PostgresConnection* operator->() const { return connection_.get(); }
  PostgresConnection& operator*() const { return *connection_; }
  void give_back() noexcept { pool_.put_back(std::move(connection_)); }

 private:
  Io& io_;
  PostgresPool& pool_;
  std::unique_ptr<PostgresConnection> connection_;
};

std::span<const std::byte> field(const PostgresResult& result, int row, int column) {
  const char* const text = PQgetvalue(result.get(), row, column);
  return std::as_bytes(
      std::span(text, static_cast<std::size_t>(PQgetlength(result.get(), row, column))));
}

std::string server_conninfo(const sockaddr_in& address) {
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
  return fmt::format("hostaddr={} port={} sslmode=disable gssencmode=disable", text,
                     ntohs(address.sin_port));
}

class Postgres final : public Workload {
 public:
  explicit Postgres(const Options& options)
      : operations_(options, "select", "insert"),
        keys_(options, 0x706f737467726573),
        bytes_(value_bytes_option(options, "postgres")),
        asked_(options.count("connections", 1, kMostBackends)),
        server_(server_option(options, "postgres")),
        rows_table_(fmt::format("precipice_rows_{}_{}", bytes_, keys_.count())),
        select_{"select_row", fmt::format("SELECT key, body FROM {} WHERE key = $1", rows_table_),
                1},
        insert_{"insert_row",
                "INSERT INTO precipice_inserts (key, body) VALUES ($1, $2) RETURNING key", 2},
        insert_many_{"insert_rows",
                     "INSERT INTO precipice_inserts (key, body)"
                     " SELECT * FROM unnest($1::bigint[], $2::text[]) RETURNING key",
                     2},
        statements_{select_, insert_, insert_many_} {}

  Downstream downstream() const override {
    return server_ ? Downstream::none : Downstream::postgres;
  }

  std::optional<sockaddr_in> server() const override { return server_; }

  void prepare(const WorkloadSetup& setup) override {
    if (!server_ && setup.conninfo.empty())
      throw Unavailable("postgres: no server is running; the harness starts one for a trial");
    conninfo_ = (server_ ? server_conninfo(*server_) : setup.conninfo) +
                " connect_timeout=10 application_name=precipice";
    tabulating_ = setup.tabulating;
    pools_.clear();
    const unsigned executors = std::max(1U, setup.executors);
    const std::size_t each = connections_per_executor("postgres", asked_, executors);
    for (unsigned i = 0; i < executors; ++i) pools_.push_back(std::make_unique<PostgresPool>(each));
    connections_ = each * executors;
    version_ =
        make_postgres_tables({conninfo_, rows_table_, keys_.count(), bytes_}, setup.may_give_up);
    open_connections(setup);
  }

  Task<Outcome> run(Io& io, const Request& request) override {
    Call call = call_of(request);
    const std::int64_t answered = co_await over_a_connection(io, {&call, 1});
    if (call.outcome.error == Outcome::kNeedless) call.outcome = Outcome::failed(answered);
    co_return call.outcome;
  }

  Task<void> run_many(Io& io, std::span<const Request> requests,
                      std::span<Outcome> outcomes) override {
    std::vector<Call> calls;
    calls.reserve(requests.size());
    for (const Request& request : requests) calls.push_back(call_of(request));
    const std::int64_t answered = co_await over_a_connection(io, calls);
    for (std::size_t i = 0; i < calls.size(); ++i) {
      outcomes[i] = calls[i].outcome.error == Outcome::kNeedless ? Outcome::failed(answered)
                                                                 : calls[i].outcome;
    }
  }

  void finish() override { pools_.clear(); }

  Nanos nominal_service() const override { return kNominalSelect; }
  Nanos nominal_cpu() const override { return Nanos(0); }
  std::string note() const override {
    if (connections_ == 0) return "";
    return fmt::format("PostgreSQL {}.{}, connections={}", version_ / 10'000, version_ % 10'000,
                       connections_);
  }

 private:
  Call call_of(const Request& request) const {
    return {.operation = operations_.of(request.seed % kTabulatedSeeds),
            .key = keys_[request.seed],
            .seed = request.seed};
  }

  /// Yields 0 or -errno; calls that were not answered keep Outcome::needless().
  Task<std::int64_t> over_a_connection(Io& io, std::span<Call> calls) {
    PostgresPool& pool = *pools_[io.executor() % pools_.size()];
    const std::int64_t entered = co_await io.acquire(pool.gate());
    if (entered < 0) co_return entered;
    const Permit permit(pool.gate());
    InUse connection(io, pool);
    if (!connection->is_open()) {
      if (pool.cancelled()) co_return -ECANCELED;
      const std::int64_t opened = co_await connection->open(io, conninfo_, statements_);
      if (opened == -ECANCELED) pool.cancel();
      if (opened < 0) co_return opened;
    }
    std::int64_t answered = 0;
    if (calls.size() > 1) {
      answered = co_await execute_many(io, *connection, calls);
    } else if (calls.front().operation == Operation::read) {
      answered = co_await select(io, *connection, calls.front());
    } else {
      answered = co_await insert(io, *connection, calls.front());
    }
    if (answered == 0) connection.give_back();
    co_return answered;
  }

  Task<std::int64_t> select(Io& io, PostgresConnection& connection, Call& call) {
    const KeyText key(call.key);
    const char* const parameter = key.c_str();
    PostgresResult result;
    const std::int64_t executed = co_await connection.execute(io, select_, {&parameter, 1}, result);
    if (executed < 0) co_return executed;
    call.outcome = outcome_of_row(call, result);
    co_return 0;
  }

  Task<std::int64_t> insert(Io& io, PostgresConnection& connection, Call& call) {
    const KeyText key(call.key);
    const std::string body = value_of(call.key);
    const std::array<const char*, 2> parameters{key.c_str(), body.c_str()};
    PostgresResult result;
    const std::int64_t executed = co_await connection.execute(io, insert_, parameters, result);
    if (executed < 0) co_return executed;
    if (PQntuples(result.get()) != 1 || PQnfields(result.get()) != 1) co_return -EPROTO;
    call.outcome = outcome_of_insert(call, result, 0);
    co_return 0;
  }

  Task<std::int64_t> execute_many(Io& io, PostgresConnection& connection, std::span<Call> calls) {
    std::vector<Call*> reads, writes;
    for (Call& call : calls) (call.operation == Operation::read ? reads : writes).push_back(&call);
    std::span<Call* const> rest = reads;
    while (!rest.empty()) {
      const std::size_t count = std::min(rest.size(), kPipelined);
      const std::int64_t answered = co_await select_many(io, connection, rest.first(count));
      if (answered < 0) co_return answered;
      rest = rest.subspan(count);
    }
    rest = writes;
    while (!rest.empty()) {
      const std::size_t count = std::min(rest.size(), kMostRows);
      const std::int64_t answered = co_await insert_many(io, connection, rest.first(count));
      if (answered < 0) co_return answered;
      rest = rest.subspan(count);
    }
    co_return 0;
  }

  Task<std::int64_t> select_many(Io& io, PostgresConnection& connection,
                                 std::span<Call* const> calls) {
    std::vector<KeyText> keys;
    std::vector<const char*> parameters;
    keys.reserve(calls.size());
    for (const Call* call : calls) parameters.push_back(keys.emplace_back(call->key).c_str());
    std::vector<PostgresResult> results(calls.size());
    const std::int64_t answered = co_await connection.pipeline(io, select_, parameters, results);
    if (answered < 0) co_return answered;
    for (std::size_t i = 0; i < calls.size(); ++i)
      calls[i]->outcome = outcome_of_row(*calls[i], results[i]);
    co_return 0;
  }

  /// The rows come back in the order of the arrays, since one scan of the function feeds the
  /// insertion; anything else would show as wrong digests.
  Task<std::int64_t> insert_many(Io& io, PostgresConnection& connection,
                                 std::span<Call* const> calls) {
    std::string keys = "{", bodies = "{";
    bodies.reserve(calls.size() * (bytes_ + 1) + 2);
    for (const Call* call : calls) {
      fmt::format_to(std::back_inserter(keys), "{},", call->key);
      bodies += value_of(call->key);
      bodies += ',';
    }
    keys.back() = bodies.back() = '}';
    const std::array<const char*, 2> parameters{keys.c_str(), bodies.c_str()};
    PostgresResult result;
    const std::int64_t executed = co_await connection.execute(io, insert_many_, parameters, result);
    if (executed < 0) co_return executed;
    if (PQntuples(result.get()) != static_cast<int>(calls.size()) || PQnfields(result.get()) != 1)
      co_return -EPROTO;
    for (std::size_t i = 0; i < calls.size(); ++i)
      calls[i]->outcome = outcome_of_insert(*calls[i], result, static_cast<int>(i));
    co_return 0;
  }

  Outcome outcome_of_row(const Call& call, const PostgresResult& result) const {
    if (PQnfields(result.get()) != 2) return Outcome::failed(EPROTO);
    if (PQntuples(result.get()) == 0) return Outcome::failed(ENOENT);
    const std::span<const std::byte> key = field(result, 0, 0), body = field(result, 0, 1);
    if (tabulating_ &&
        !(is_text(key, KeyText(call.key).c_str()) && is_text(body, value_of(call.key))))
      return Outcome::failed(EBADMSG);  // a digest of it would make every right answer wrong
    return Outcome::ok(fold(body, fold(key, mix64(call.seed))));
  }

  Outcome outcome_of_insert(const Call& call, const PostgresResult& result, int row) const {
    const std::span<const std::byte> key = field(result, row, 0);
    if (tabulating_ && !is_text(key, KeyText(call.key).c_str())) return Outcome::failed(EBADMSG);
    return Outcome::ok(fold(key, ~mix64(call.seed)));
  }

  static bool is_text(std::span<const std::byte> bytes, std::string_view text) {
    return bytes.size() == text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
  }

  std::string value_of(std::uint64_t key) const {
    std::string value(bytes_, '\0');
    write_value(key, value.data(), bytes_);
    return value;
  }

  /// As services warm their pools: the server forks a process for each, which would delay the first
  /// requests of a trial by much more than they take. One that is lost is opened anew by a request.
  void open_connections(const WorkloadSetup& setup) {
    BlockingIo io;
    const std::size_t wanted = setup.concurrency > 0 ? setup.concurrency : connections_;
    const std::size_t each = std::min(connections_ / pools_.size(), wanted);
    for (const auto& pool : pools_) {
      for (std::size_t i = 0; i < each; ++i) {
        if (setup.may_give_up) setup.may_give_up();
        auto connection = std::make_unique<PostgresConnection>();
        Opened opened;
        open_into(*connection, io, conninfo_, statements_, opened).start(nullptr, nullptr);
        if (opened.failure) std::rethrow_exception(opened.failure);
        if (opened.result < 0) {
          throw Unavailable(fmt::format(
              "postgres: cannot open {} connections: {}; ask for fewer (postgres:connections=N), "
              "or raise the server's max_connections",
              connections_, std::strerror(static_cast<int>(-opened.result))));
        }
        pool->put_back(std::move(connection));
      }
    }
  }

  struct Opened {
    std::int64_t result = -ECANCELED;
    std::exception_ptr failure;
  };
  static Task<void> open_into(PostgresConnection& connection, Io& io, const std::string& conninfo,
                              std::span<const PostgresStatement> statements, Opened& opened) {
    try {
      opened.result = co_await connection.open(io, conninfo, statements);
    } catch (...) {
      opened.failure = std::current_exception();
    }
  }

  Operations operations_;
  SeedKeys keys_;
  std::size_t bytes_;
  std::uint64_t asked_;
  std::optional<sockaddr_in> server_;
  std::string rows_table_;
  PostgresStatement select_, insert_, insert_many_;
  std::vector<PostgresStatement> statements_;
  std::string conninfo_;
  bool tabulating_ = false;
  int version_ = 0;
  std::size_t connections_ = 0;
  std::vector<std::unique_ptr<PostgresPool>> pools_;  ///< by executor
};

}  // namespace

std::unique_ptr<Workload> make_postgres(const Options& options) {
  return std::make_unique<Postgres>(options);
}

std::optional<std::string> postgres_left_out() { return std::nullopt; }

}  // namespace precipice
