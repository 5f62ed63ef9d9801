// TLS for the client, by OpenSSL where the program was built with it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>

namespace precipice {

/// What all sessions with one server share. Thread-safe once made.
class TlsContext {
 public:
  /// `host`: what the certificate has to name, checked against the system's authorities unless
  /// `insecure`. Throws Unavailable where the program has no OpenSSL, or that fails.
  TlsContext(const std::string& host, bool insecure);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsSession;
  struct State;
  std::unique_ptr<State> state_;
};

/// One connection's. The calls return as those of sockets: bytes, 0 at the end, or -errno; -EAGAIN
/// where it waits for the socket, to write if wants_write(), else to read. -EPROTO: the peer or the
/// certificate is not as it should be.
class TlsSession {
 public:
  TlsSession(const TlsContext& context, int fd);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  int handshake();  ///< 0 when it is done
  ssize_t send(const char* bytes, std::size_t size);
  ssize_t receive(char* into, std::size_t size);
  bool wants_write() const { return wants_write_; }
  /// What is wrong with the certificate or the handshake, or "".
  std::string problem() const;

 private:
  struct State;
  int error_of(int result);
  std::unique_ptr<State> state_;
  bool wants_write_ = false;
};

}  // namespace precipice
