// A connection to a PostgreSQL server, driven by libpq's non-blocking calls: libpq receives and
// sends by itself, and what it has to wait for is awaited through Io.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "models/io.hpp"
#include "models/task.hpp"

struct pg_conn;    // libpq's PGconn
struct pg_result;  // libpq's PGresult

namespace precipice {

struct ClearPostgresResult {
  void operator()(pg_result* result) const noexcept;
};
using PostgresResult = std::unique_ptr<pg_result, ClearPostgresResult>;

/// A statement that a connection prepares once, and its name.
struct PostgresStatement {
  const char* name = nullptr;
  std::string sql{};
  int parameters = 0;
};

/// Whether a connection failed since so many others wait to be accepted that the kernel takes no
/// more: over a socket of the file system it does not wait, and libpq says so in words alone.
bool accept_queue_is_full(const pg_conn& connection);

/// An open connection, or none. One request at a time uses it, on one Io. Where a member yields
/// -errno the state of the conversation is unknown and the connection is to be closed:
/// -ECONNREFUSED where there is no server, -ECONNRESET where it has gone, -EREMOTEIO where it
/// refused a statement, -EPROTO where it answered with something else, -ECANCELED at shutdown.
class PostgresConnection {
 public:
  PostgresConnection() = default;
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;
  /// Closes what is still open as plain descriptors: when its Io is gone.
  ~PostgresConnection();

  bool is_open() const { return open_; }
  /// Connects and prepares the statements. Yields 0 or -errno.
  Task<std::int64_t> open(Io& io, const std::string& conninfo,
                          std::span<const PostgresStatement> statements);
  /// One execution of a prepared statement. `parameters` are texts. The rows go to `result`. Yields
  /// 0 or -errno.
  Task<std::int64_t> execute(Io& io, const PostgresStatement& statement,
                             std::span<const char* const> parameters, PostgresResult& result);
  /// Several executions of a statement with one parameter, sent without waiting for a result in
  /// between (libpq's pipeline mode). `results` are in the order of `parameters`. What is sent
  /// before the first result is received has to fit the buffers of the sockets, or both sides could
  /// wait for each other to receive. Yields 0 or -errno.
  Task<std::int64_t> pipeline(Io& io, const PostgresStatement& statement,
                              std::span<const char* const> parameters,
                              std::span<PostgresResult> results);
  void close(Io& io) noexcept;

 private:
  Task<std::int64_t> flush(Io& io);
  Task<std::int64_t> await_input(Io& io);
  Task<std::int64_t> finish_statement(Io& io, PostgresResult& result);
  std::int64_t lost() const;

  pg_conn* conn_ = nullptr;
  /// A duplicate of libpq's descriptor, which libpq closes by itself: engines register descriptors
  /// by number, and forget them when they close them.
  int watched_ = -1;
  bool open_ = false;
};

/// The connections of one executor: as many in use at once as there are permits, opened when first
/// needed, the most recently used one taken again first. Thread-safe.
class PostgresPool {
 public:
  explicit PostgresPool(std::size_t permits) : gate_(permits) { idle_.reserve(permits); }
  PostgresPool(const PostgresPool&) = delete;
  PostgresPool& operator=(const PostgresPool&) = delete;

  Gate& gate() { return gate_; }
  /// An idle connection, or one that is not open yet. Throws std::bad_alloc.
  std::unique_ptr<PostgresConnection> take();
  void put_back(std::unique_ptr<PostgresConnection> connection) noexcept;
  /// The model gives up its requests: none of those that wait opens a connection any more, which
  /// the server would have to begin a process for.
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

 private:
  Gate gate_;
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;
  std::vector<std::unique_ptr<PostgresConnection>> idle_;  ///< reserved to the number of permits
};

}  // namespace precipice
