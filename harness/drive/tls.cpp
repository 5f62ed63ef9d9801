#include "harness/drive/tls.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "models/options.hpp"

namespace precipice {
namespace {

std::string last_error() {
  const unsigned long code = ERR_get_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "" : reason;
}

int bounded(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

}  // namespace

struct TlsContext::State {
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context{SSL_CTX_new(TLS_client_method()),
                                                       SSL_CTX_free};
  std::string host;
  bool insecure = false;
};

TlsContext::TlsContext(const std::string& host, bool insecure) : state_(std::make_unique<State>()) {
  SSL_CTX* const context = state_->context.get();
  if (context == nullptr) throw Unavailable("OpenSSL makes no context: " + last_error());
  state_->host = host;
  state_->insecure = insecure;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  if (!insecure && SSL_CTX_set_default_verify_paths(context) != 1)
    throw Unavailable("OpenSSL finds no authorities to check a certificate by: " + last_error());
}

TlsContext::~TlsContext() = default;

struct TlsSession::State {
  std::unique_ptr<SSL, void (*)(SSL*)> ssl{nullptr, SSL_free};
  std::string problem;
};

TlsSession::TlsSession(const TlsContext& context, int fd) : state_(std::make_unique<State>()) {
  state_->ssl.reset(SSL_new(context.state_->context.get()));
  SSL* const ssl = state_->ssl.get();
  if (ssl == nullptr || SSL_set_fd(ssl, fd) != 1)
    throw Unavailable("OpenSSL makes no session: " + last_error());
  const std::string& host = context.state_->host;
  unsigned char address[16];
  const bool is_address = inet_pton(AF_INET, host.c_str(), address) == 1 ||
                          inet_pton(AF_INET6, host.c_str(), address) == 1;
  // RFC 6066, 3: an address is no server name.
  if (!is_address) SSL_set_tlsext_host_name(ssl, host.c_str());
  if (!context.state_->insecure) {
    if (is_address)
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
    else
      SSL_set1_host(ssl, host.c_str());
  }
  SSL_set_connect_state(ssl);
}

TlsSession::~TlsSession() = default;

int TlsSession::error_of(int result) {
  const int saved = errno;
  wants_write_ = false;
  switch (SSL_get_error(state_->ssl.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_SYSCALL:
      return saved > 0 ? -saved : -ECONNRESET;
    default:
      state_->problem = last_error();
      return -EPROTO;
  }
}

int TlsSession::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(state_->ssl.get());
  if (result == 1) return 0;
  const int error = error_of(result);
  if (error == 0) return -ECONNRESET;
  if (const long verdict = SSL_get_verify_result(state_->ssl.get());
      error == -EPROTO && verdict != X509_V_OK)
    state_->problem = X509_verify_cert_error_string(verdict);
  return error;
}

ssize_t TlsSession::send(const char* bytes, std::size_t size) {
  ERR_clear_error();
  const int result = SSL_write(state_->ssl.get(), bytes, bounded(size));
  if (result > 0) return result;
  const int error = error_of(result);
  return error == 0 ? -EPIPE : error;
}

ssize_t TlsSession::receive(char* into, std::size_t size) {
  ERR_clear_error();
  const int result = SSL_read(state_->ssl.get(), into, bounded(size));
  return result > 0 ? result : error_of(result);
}

std::string TlsSession::problem() const { return state_->problem; }

}  // namespace precipice
