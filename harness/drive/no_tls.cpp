// Where the program was built without OpenSSL: a target of https:// is refused.
#include <cerrno>

#include "harness/drive/tls.hpp"
#include "models/options.hpp"

namespace precipice {

struct TlsContext::State {};
struct TlsSession::State {};

TlsContext::TlsContext(const std::string& /*host*/, bool /*insecure*/) {
  throw Unavailable(
      "this program was built without OpenSSL, so it has no https: apt-get install libssl-dev, "
      "then build it again");
}
TlsContext::~TlsContext() = default;
TlsSession::TlsSession(const TlsContext&, int) {}
TlsSession::~TlsSession() = default;
int TlsSession::error_of(int) { return -EPROTO; }
int TlsSession::handshake() { return -EPROTO; }
ssize_t TlsSession::send(const char*, std::size_t) { return -EPROTO; }
ssize_t TlsSession::receive(char*, std::size_t) { return -EPROTO; }
std::string TlsSession::problem() const { return ""; }

}  // namespace precipice
