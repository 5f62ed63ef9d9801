// One connection as a stream of bytes: TCP or a unix socket, plain or under TLS; never waits.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>

#include "harness/drive/endpoint.hpp"
#include "harness/drive/tls.hpp"

namespace precipice {

/// All results are bytes, 0 for what is done (or the end of the stream), or -errno; -EAGAIN: call
/// it again when the descriptor is ready. Not thread-safe.
class Wire {
 public:
  Wire() = default;
  ~Wire() { close(); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// Begins to connect; -EAGAIN while that is under way. `tls`, if any, outlives the wire.
  int open(const Endpoint& endpoint, const TlsContext* tls);
  /// Goes on with it until 0, the TLS handshake included.
  int proceed();
  ssize_t send(const char* bytes, std::size_t size);
  ssize_t receive(char* into, std::size_t size);
  void close();

  int descriptor() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  bool under_tls() const { return session_.has_value(); }
  /// The connection itself is made, so that what fails is TLS.
  bool connected() const { return connected_; }
  /// Of the last -EAGAIN: it is writing that has to be waited for.
  bool wants_write() const { return wants_write_; }
  std::string problem() const { return session_ ? session_->problem() : ""; }

 private:
  int handshake();

  int fd_ = -1;
  const TlsContext* tls_ = nullptr;
  std::optional<TlsSession> session_;
  bool connected_ = false, wants_write_ = false;
};

}  // namespace precipice
