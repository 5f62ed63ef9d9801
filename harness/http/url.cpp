#include "harness/http/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "models/options.hpp"

namespace precipice {
namespace {

constexpr std::string_view kHttp = "http://", kHttps = "https://", kUnix = "unix:";
// RFC 9112, 3: recipients should support at least this; no server here is asked for more.
constexpr std::size_t kLongestTarget = 8000;

bool in_target(char c) {
  // RFC 3986: unreserved, sub-delims, and what a path and a query add.
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("-._~!$&'()*+,;=:@%/?").find(c) != std::string_view::npos;
}

bool in_host(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
}

bool in_address(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view what) : text_(text), what_(what) {}

  Url parse() {
    if (text_.starts_with(kHttp)) return over_tcp(text_.substr(kHttp.size()), false);
    if (text_.starts_with(kHttps)) return over_tcp(text_.substr(kHttps.size()), true);
    if (text_.starts_with(kUnix)) return over_socket(text_.substr(kUnix.size()));
    throw wrong("has no scheme that is known here");
  }

 private:
  UsageError wrong(std::string_view why) const {
    return UsageError(
        fmt::format("{} '{}' {}; write http://HOST[:PORT][/PATH], https://..., or "
                    "unix:/SOCKET[:/PATH]",
                    what_, text_, why));
  }

  Url over_tcp(std::string_view rest, bool tls) const {
    Url url;
    url.tls = tls;
    const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
    std::string_view place = rest.substr(0, end);
    url.target = target(rest.substr(end));
    if (place.find('@') != std::string_view::npos)
      throw wrong("names a user: give a header instead, as in --header 'Authorization: ...'");
    const bool bracketed = place.starts_with('[');
    const std::size_t closing = bracketed ? place.find(']') : std::string_view::npos;
    if (bracketed && closing == std::string_view::npos) throw wrong("has a '[' without its ']'");
    const std::string_view host =
        bracketed ? place.substr(1, closing - 1) : place.substr(0, place.find(':'));
    std::string_view port = place.substr(bracketed ? closing + 1 : host.size());
    if (host.empty()) throw wrong("names no host");
    if (!std::all_of(host.begin(), host.end(), bracketed ? in_address : in_host))
      throw wrong("has a host of other characters than names and addresses have");
    url.host = host;
    url.port = tls ? 443 : 80;
    url.authority = bracketed ? fmt::format("[{}]", host) : std::string(host);
    if (!port.empty()) {
      if (port.front() != ':') throw wrong("has something else than a port behind the host");
      port.remove_prefix(1);
      const std::uint16_t usual = url.port;
      unsigned number = 0;
      const auto [stop, error] = std::from_chars(port.data(), port.data() + port.size(), number);
      if (error != std::errc{} || stop != port.data() + port.size() || number == 0 ||
          number > 65535)
        throw wrong("has no port from 1 to 65535 behind its ':'");
      url.port = static_cast<std::uint16_t>(number);
      if (url.port != usual) url.authority += fmt::format(":{}", url.port);
    }
    return url;
  }

  Url over_socket(std::string_view rest) const {
    Url url;
    const std::size_t end = std::min(rest.find(":/"), rest.size());
    url.socket = rest.substr(0, end);
    if (!url.socket.starts_with('/')) throw wrong("has no absolute path of a socket");
    constexpr std::size_t kLongest = 107;  // sun_path of unix(7), less its end
    if (url.socket.size() > kLongest || url.socket.find('\0') != std::string::npos)
      throw wrong(fmt::format("has a path that no socket has: at most {} bytes", kLongest));
    url.target = target(end < rest.size() ? rest.substr(end + 1) : std::string_view());
    url.authority = "localhost";
    return url;
  }

  std::string target(std::string_view text) const {
    if (text.find('#') != std::string_view::npos)
      throw wrong("has a fragment, which is never sent to a server: leave out '#' and the rest");
    std::string result(text);
    if (!result.starts_with('/')) result.insert(result.begin(), '/');
    if (result.size() > kLongestTarget)
      throw wrong(fmt::format("asks for a target of more than {} bytes", kLongestTarget));
    for (std::size_t at = 0; at < result.size(); ++at) {
      if (std::string_view(result).substr(at).starts_with(kSeedPlace)) {
        at += kSeedPlace.size() - 1;
      } else if (!in_target(result[at])) {
        throw wrong("has a character that must be written as %XX; only {seed} has braces");
      }
    }
    return result;
  }

  const std::string_view text_, what_;
};

}  // namespace

Url parse_url(std::string_view text, std::string_view what) { return Parser(text, what).parse(); }

std::string plain_name(const Url& url) {
  std::string name = url.socket.empty() ? fmt::format("{}:{}", url.host, url.port) : url.socket;
  for (char& c : name) {
    if (!in_host(c)) c = '_';
  }
  return name;
}

}  // namespace precipice
