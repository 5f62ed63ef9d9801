#include "workloads/postgres_connection.hpp"

#include <fcntl.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace precipice {

void ClearPostgresResult::operator()(pg_result* result) const noexcept { PQclear(result); }

bool accept_queue_is_full(const pg_conn& connection) {
  return std::strstr(PQerrorMessage(&connection), std::strerror(EAGAIN)) != nullptr;
}

PostgresConnection::~PostgresConnection() {
  if (watched_ >= 0) ::close(watched_);
  if (conn_ != nullptr) PQfinish(conn_);
}

void PostgresConnection::close(Io& io) noexcept {
  open_ = false;
  if (watched_ >= 0) io.close(std::exchange(watched_, -1));
  if (conn_ != nullptr) PQfinish(std::exchange(conn_, nullptr));
}

/// libpq says in words alone what went wrong; whether the connection is still there it knows.
std::int64_t PostgresConnection::lost() const {
  return PQstatus(conn_) == CONNECTION_BAD ? -ECONNRESET : -EREMOTEIO;
}

Task<std::int64_t> PostgresConnection::open(Io& io, const std::string& conninfo,
                                            std::span<const PostgresStatement> statements) {
  for (;;) {
    conn_ = PQconnectStart(conninfo.c_str());
    if (conn_ == nullptr) co_return -ENOMEM;
    if (PQstatus(conn_) != CONNECTION_BAD) break;
    if (!accept_queue_is_full(*conn_)) co_return -ECONNREFUSED;
    PQfinish(std::exchange(conn_, nullptr));
    const std::int64_t slept = co_await io.sleep(std::chrono::milliseconds(1));
    if (slept < 0) co_return slept;
  }
  // What a server says besides is for nobody: libpq would print it.
  PQsetNoticeProcessor(
      conn_, [](void*, const char*) {}, nullptr);
  for (PostgresPollingStatusType state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;
       state = PQconnectPoll(conn_)) {
    if (state == PGRES_POLLING_FAILED) co_return -ECONNREFUSED;
    // One address, no TLS: the descriptor stays the same one.
    if (watched_ < 0) watched_ = ::fcntl(PQsocket(conn_), F_DUPFD_CLOEXEC, 0);
    if (watched_ < 0) co_return -errno;
    std::int64_t ready = 0;
    if (state == PGRES_POLLING_READING) {
      ready = co_await io.readable(watched_);
    } else {
      ready = co_await io.writable(watched_);
    }
    if (ready < 0) co_return ready;
  }
  if (PQsetnonblocking(conn_, 1) != 0) co_return lost();
  for (const PostgresStatement& statement : statements) {
    if (PQsendPrepare(conn_, statement.name, statement.sql.c_str(), statement.parameters,
                      nullptr) != 1)
      co_return lost();
    const std::int64_t flushed = co_await flush(io);
    if (flushed < 0) co_return flushed;
    PostgresResult result;
    const std::int64_t prepared = co_await finish_statement(io, result);
    if (prepared < 0) co_return prepared;
  }
  open_ = true;
  co_return 0;
}

Task<std::int64_t> PostgresConnection::execute(Io& io, const PostgresStatement& statement,
                                               std::span<const char* const> parameters,
                                               PostgresResult& result) {
  if (PQsendQueryPrepared(conn_, statement.name, static_cast<int>(parameters.size()),
                          parameters.data(), nullptr, nullptr, 0) != 1)
    co_return lost();
  const std::int64_t flushed = co_await flush(io);
  if (flushed < 0) co_return flushed;
  const std::int64_t finished = co_await finish_statement(io, result);
  co_return finished;
}

Task<std::int64_t> PostgresConnection::pipeline(Io& io, const PostgresStatement& statement,
                                                std::span<const char* const> parameters,
                                                std::span<PostgresResult> results) {
  if (PQenterPipelineMode(conn_) != 1) co_return lost();
  for (const char* const& parameter : parameters) {
    if (PQsendQueryPrepared(conn_, statement.name, 1, &parameter, nullptr, nullptr, 0) != 1)
      co_return lost();
  }
  if (PQpipelineSync(conn_) != 1) co_return lost();
  const std::int64_t flushed = co_await flush(io);
  if (flushed < 0) co_return flushed;
  // One result of each, with the end of its statement behind it; then the synchronisation.
  for (PostgresResult& result : results) {
    const std::int64_t finished = co_await finish_statement(io, result);
    if (finished < 0) co_return finished;
  }
  const std::int64_t ready = co_await await_input(io);
  if (ready < 0) co_return ready;
  const PostgresResult synchronised(PQgetResult(conn_));
  if (PQresultStatus(synchronised.get()) != PGRES_PIPELINE_SYNC) co_return -EPROTO;
  if (PQexitPipelineMode(conn_) != 1) co_return lost();
  co_return 0;
}

Task<std::int64_t> PostgresConnection::flush(Io& io) {
  for (;;) {
    const int left = PQflush(conn_);
    if (left == 0) co_return 0;
    if (left < 0) co_return -ECONNRESET;
    // What the server has answered is taken first, so that it can go on receiving.
    if (PQconsumeInput(conn_) != 1) co_return -ECONNRESET;
    const std::int64_t ready = co_await io.writable(watched_);
    if (ready < 0) co_return ready;
  }
}

/// Until a result, or the end of a statement, can be had without waiting.
Task<std::int64_t> PostgresConnection::await_input(Io& io) {
  while (PQisBusy(conn_) != 0) {
    const std::int64_t ready = co_await io.readable(watched_);
    if (ready < 0) co_return ready;
    if (PQconsumeInput(conn_) != 1) co_return -ECONNRESET;
  }
  co_return 0;
}

/// The result of a statement, and libpq's null pointer that ends it.
Task<std::int64_t> PostgresConnection::finish_statement(Io& io, PostgresResult& result) {
  std::int64_t ready = co_await await_input(io);
  if (ready < 0) co_return ready;
  result.reset(PQgetResult(conn_));
  std::int64_t outcome = 0;
  switch (PQresultStatus(result.get())) {  // of a null pointer: a fatal error
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
      break;
    default:
      outcome = lost();
  }
  ready = co_await await_input(io);
  if (ready < 0) co_return ready;
  if (const PostgresResult more(PQgetResult(conn_)); more) co_return -EPROTO;
  co_return outcome;
}

std::unique_ptr<PostgresConnection> PostgresPool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<PostgresConnection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return std::make_unique<PostgresConnection>();
}

void PostgresPool::put_back(std::unique_ptr<PostgresConnection> connection) noexcept {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
}

}  // namespace precipice
