// The entry of the workload postgres, with or without libpq.
#include "workloads/postgres.hpp"
#include "workloads/server_programs.hpp"

namespace precipice {

WorkloadInfo postgres_workload() {
  return {
      .name = "postgres",
      .summary =
          "prepared SELECT and INSERT at a PostgreSQL server; a batch is one INSERT of many "
          "rows and a pipeline of SELECTs",
      .control = false,
      .waits = true,
      .options = {{"op", "select",
                   "select (one row by its primary key), insert (one row), or mixed, which is half "
                   "of each"},
                  {"keys", "10000",
                   "rows to select from, 1 to 10M; a trial touches at most 4,096 of them"},
                  {"bytes", "64", "size of the text in a row, 1 to 1MiB"},
                  {"connections", "16",
                   "connections over all executors, 1 to 500, at least one each; the server has a "
                   "process for each, and 16 keep several CPUs busy"},
                  {"server", "",
                   "ADDRESS:PORT of a server that runs already, on this machine's loopback, where "
                   "tables named precipice_* are made and stay; PGUSER, PGPASSWORD and PGDATABASE "
                   "apply. Default: the harness starts one, without fsync, and stops it"}},
      .make = make_postgres,
      .unavailable = []() -> std::optional<std::string> {
        if (const auto why = postgres_left_out()) return why;
        if (postgres_program_directory()) return std::nullopt;
        return "there is no PostgreSQL server: apt-get install postgresql, or name one that runs "
               "by "
               "server=127.0.0.1:PORT";
      }};
}

}  // namespace precipice
