// The tables that the workload postgres selects from and inserts into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace precipice {

struct PostgresTables {
  std::string conninfo;  ///< of the server
  std::string rows;      ///< the name of the table to select from: key, body
  std::uint64_t keys;    ///< its rows
  std::size_t bytes;     ///< of a body
};

/// Makes both by blocking calls, and empties precipice_inserts (key, body), where requests insert.
/// The rows are made once in the life of a server: in one transaction, so that a table that is
/// there is whole. Returns the server's version as libpq has it (150018 is 15.18). Throws
/// Unavailable with the server's message, and what may_give_up throws.
int make_postgres_tables(const PostgresTables& tables, const std::function<void()>& may_give_up);

}  // namespace precipice
