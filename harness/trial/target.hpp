// A server that runs elsewhere, as the model of a trial: where it is, what it is asked, and how.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/request.hpp"

namespace precipice {

/// The workload of every trial of a target: what its requests do is the server's own matter.
inline constexpr std::string_view kTargetWorkload = "http";

/// What a slow client does between its connecting and its end.
enum class SlowKind : std::uint8_t {
  header,  ///< sends the head of a request, a byte each interval, and never ends it
  body,    ///< sends a head at once, and a byte of its body each interval
  read,    ///< sends several requests at once, and takes a byte of their answers each interval
  idle,    ///< one request, and then nothing: a connection kept alive
};
std::string_view to_string(SlowKind kind);
/// Throws UsageError that names all of them.
SlowKind parse_slow_kind(std::string_view text);

/// Clients beside those that are measured, which keep connections and send next to nothing. One
/// that the server closes is made anew at its next interval.
struct SlowClients {
  static constexpr std::uint32_t kMost = 20'000;
  /// The CPU of the client carries more, but would then be short of it for the measured requests.
  static constexpr double kMostStepsPerS = 50'000;

  std::uint32_t count = 0;
  SlowKind kind = SlowKind::header;
  Nanos interval = std::chrono::seconds(1);  ///< 10 ms to 1 h
};
/// Throws UsageError for what is out of bounds.
void check_slow_clients(const SlowClients& slow);

struct Target {
  static constexpr std::uint32_t kMostConnections = 100'000, kMostThreads = 256;
  static constexpr std::uint32_t kMostRequestsPerConnection = 1'000'000'000;

  /// Of its series in tables and claims: letters, digits, '.', '-' and '_'.
  std::string name;
  std::string url;  ///< see Url
  std::uint32_t connections = 128;
  std::uint32_t threads = 1;  ///< of the client; connections and arrivals are divided among them
  std::string method = "GET";
  std::vector<std::string> headers{};  ///< each "NAME: VALUE"
  std::string body{}, body_file{};     ///< what is sent, and where it was read from
  /// What every body that is answered must be, and where it was read from; no file: anything.
  std::string expected{}, expected_file{};
  /// Or what each must be, by the request's seed; null: no such list.
  std::shared_ptr<const std::vector<std::string>> answers{};
  bool connection_per_request = false;
  /// After which the client has the server close a connection, and makes another; 0: never. 1 means
  /// connection_per_request.
  std::uint32_t requests_per_connection = 0;
  SlowClients slow;
  bool insecure = false;                     ///< TLS without a check of the certificate
  Nanos timeout = std::chrono::seconds(10);  ///< of one request, from its dispatch_ns
  double max_rate_per_s = 0;  ///< never more requests per second than this; 0: no bound
};

}  // namespace precipice
