#include "workloads/postgres_tables.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <thread>

#include "models/options.hpp"
#include "workloads/postgres_connection.hpp"
#include "workloads/server_options.hpp"

namespace precipice {
namespace {

constexpr std::uint64_t kCopiedAtOnce = 256;
// Half a minute, while the server accepts what an earlier trial has left in its queue.
constexpr int kTries = 3000;
constexpr std::chrono::milliseconds kPause(10);

struct CloseConnection {
  void operator()(pg_conn* connection) const noexcept { PQfinish(connection); }
};

/// A connection that blocks.
class Preparation {
 public:
  Preparation(const PostgresTables& tables, const std::function<void()>& may_give_up)
      : tables_(tables), connection_(PQconnectdb(tables.conninfo.c_str())) {
    for (int i = 0; i < kTries && connection_ && accept_queue_is_full(*connection_); ++i) {
      if (may_give_up) may_give_up();
      std::this_thread::sleep_for(kPause);
      connection_.reset(PQconnectdb(tables.conninfo.c_str()));
    }
    if (!connection_ || PQstatus(connection_.get()) != CONNECTION_OK) throw failed();
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr);
  }

  int version() const { return PQserverVersion(connection_.get()); }

  PostgresResult execute(const std::string& sql, ExecStatusType expected = PGRES_COMMAND_OK) {
    PostgresResult result(PQexec(connection_.get(), sql.c_str()));
    if (PQresultStatus(result.get()) != expected) throw failed();
    return result;
  }

  void copy_rows(const std::function<void()>& may_give_up) {
    std::string value(tables_.bytes, '\0');
    for (std::uint64_t from = 0; from < tables_.keys; from += kCopiedAtOnce) {
      if (may_give_up) may_give_up();
      std::string rows;
      for (std::uint64_t key = from; key < std::min(from + kCopiedAtOnce, tables_.keys); ++key) {
        write_value(key, value.data(), value.size());
        fmt::format_to(std::back_inserter(rows), "{}\t{}\n", key, value);
      }
      if (PQputCopyData(connection_.get(), rows.data(), static_cast<int>(rows.size())) != 1)
        throw failed();
    }
    if (PQputCopyEnd(connection_.get(), nullptr) != 1) throw failed();
    while (const PostgresResult result{PQgetResult(connection_.get())}) {
      if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) throw failed();
    }
  }

 private:
  Unavailable failed() const {
    std::string why = connection_ ? PQerrorMessage(connection_.get()) : "no memory";
    why.erase(why.find_last_not_of(" \n") + 1);
    return Unavailable(fmt::format("postgres: cannot prepare {} rows: {}", tables_.keys, why));
  }

  const PostgresTables& tables_;
  std::unique_ptr<pg_conn, CloseConnection> connection_;
};

}  // namespace

int make_postgres_tables(const PostgresTables& tables, const std::function<void()>& may_give_up) {
  Preparation preparation(tables, may_give_up);
  preparation.execute(
      "CREATE TABLE IF NOT EXISTS precipice_inserts (id bigint GENERATED ALWAYS AS IDENTITY"
      " PRIMARY KEY, key bigint NOT NULL, body text NOT NULL)");
  preparation.execute("TRUNCATE precipice_inserts");
  const PostgresResult there =
      preparation.execute(fmt::format("SELECT to_regclass('{}')", tables.rows), PGRES_TUPLES_OK);
  if (PQgetisnull(there.get(), 0, 0) == 0) return preparation.version();
  preparation.execute("BEGIN");
  preparation.execute(
      fmt::format("CREATE TABLE {} (key bigint NOT NULL, body text NOT NULL)", tables.rows));
  preparation.execute(fmt::format("COPY {} FROM STDIN", tables.rows), PGRES_COPY_IN);
  preparation.copy_rows(may_give_up);
  preparation.execute(fmt::format("ALTER TABLE {} ADD PRIMARY KEY (key)", tables.rows));
  preparation.execute("COMMIT");
  preparation.execute(fmt::format("VACUUM ANALYZE {}", tables.rows));
  return preparation.version();
}

}  // namespace precipice
