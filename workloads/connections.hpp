// Connections to one peer, a pool for each executor: as many in use at once as there are permits,
// opened when first needed, the most recently used one taken again first.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "models/io.hpp"
#include "workloads/permit.hpp"

namespace precipice {

/// Lets this process have as many descriptors as its hard limit allows, and returns how many more
/// it can open than it has open now.
std::size_t raise_descriptor_limit();

/// The pool of one executor. Thread-safe; destroyed when no request is under way, and closes what
/// is idle.
class ConnectionPool {
 public:
  explicit ConnectionPool(std::size_t permits);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;
  ~ConnectionPool();

  Gate& gate() { return gate_; }
  /// An idle connection, or -1.
  int take() noexcept;
  void put_back(int socket) noexcept;

 private:
  Gate gate_;
  std::mutex mutex_;
  std::vector<int> idle_;  ///< reserved to the number of permits: putting back never allocates
};

/// A connection in use. Closed on destruction, unless it was given back: after an error, a
/// cancellation or an exception the state of the stream is unknown.
class Connection {
 public:
  Connection(Io& io, ConnectionPool& pool) noexcept : io_(io), pool_(pool), socket_(pool.take()) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    if (socket_ >= 0) io_.close(socket_);
  }

  bool open() const { return socket_ >= 0; }
  int socket() const { return socket_; }
  /// Takes over a descriptor that Io::connect yielded.
  void adopt(int socket) noexcept;
  void give_back() noexcept;

 private:
  Io& io_;
  ConnectionPool& pool_;
  int socket_;
};

}  // namespace precipice
