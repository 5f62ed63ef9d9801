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

struct Target {
  static constexpr std::uint32_t kMostConnections = 100'000, kMostThreads = 256;

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
  bool insecure = false;                     ///< TLS without a check of the certificate
  Nanos timeout = std::chrono::seconds(10);  ///< of one request, from when it is due
  double max_rate_per_s = 0;  ///< never more requests per second than this; 0: no bound
};

}  // namespace precipice
