#include "harness/cli/target_options.hpp"

#include <fmt/format.h>

#include "harness/cli/common_options.hpp"
#include "harness/drive/drive_trial.hpp"
#include "harness/http/url.hpp"
#include "harness/store/durable_file.hpp"
#include "harness/trial/spec.hpp"
#include "models/options.hpp"

namespace precipice::cli {

void add_target(OptionParser& parser, TargetArguments& a) {
  parser.add_option("--connections", a.connections,
                    "Kept open by the client (default: 128; of a closed loop its length)");
  parser.add_option("--threads", a.threads,
                    "Of the client, each with connections of its own (default: 1)");
  parser.add_option("--method", a.method, "GET, HEAD, POST, ... (default: GET)");
  parser.add_option("--header", a.headers, "As in 'Accept: text/plain'; several times");
  parser.add_option("--body", a.body, "A file that is sent with each request");
  parser.add_option("--expect", a.expect,
                    "A file that each answer's body must equal; others are counted as wrong");
  parser.add_flag("--connection-per-request", a.connection_per_request,
                  "Each request makes a connection of its own");
  parser.add_option("--requests-per-connection", a.requests_per_connection,
                    "After which a connection is closed, and another made (default: never)");
  parser.add_option("--slow-clients", a.slow_clients,
                    "Connections beside those of the requests that send next to nothing, to a "
                    "server on this machine (default: 0)");
  parser.add_option("--slow", a.slow,
                    "What slow clients are slow in: header (default), body, read, or idle");
  parser.add_option("--slow-interval", a.slow_interval,
                    "Between two bytes of a slow client (default: 1s)");
  parser.add_flag("--insecure", a.insecure, "https: without a check of the certificate");
  parser.add_option("--timeout", a.timeout,
                    "Of a request, from when it is due, as in 2s (default: 10s)");
  parser.add_option("--max-rate", a.max_rate,
                    "Never more requests per second; required for servers on other machines");
}

Target target_of(const TargetArguments& a) {
  Target target;
  target.url = a.target;
  target.name = plain_name(parse_url(a.target, "--target"));
  if (!a.connections.empty())
    target.connections = static_cast<std::uint32_t>(
        parse_count(a.connections, "--connections", 1, Target::kMostConnections));
  if (!a.threads.empty())
    target.threads =
        static_cast<std::uint32_t>(parse_count(a.threads, "--threads", 1, Target::kMostThreads));
  if (!a.method.empty()) target.method = a.method;
  target.headers = a.headers;
  target.body_file = a.body;
  if (!a.body.empty()) target.body = read_file(a.body);
  target.expected_file = a.expect;
  if (!a.expect.empty()) target.expected = read_file(a.expect);
  target.connection_per_request = a.connection_per_request;
  if (!a.requests_per_connection.empty()) {
    target.requests_per_connection = static_cast<std::uint32_t>(
        parse_count(a.requests_per_connection, "--requests-per-connection", 1,
                    Target::kMostRequestsPerConnection));
    // One connection each, whose making is a part of the request.
    if (target.requests_per_connection == 1) target.connection_per_request = true;
  }
  if (!a.slow_clients.empty()) {
    target.slow.count = static_cast<std::uint32_t>(
        parse_count(a.slow_clients, "--slow-clients", 0, SlowClients::kMost));
  }
  for (const auto& [given, option] :
       {std::pair(&a.slow, "--slow"), std::pair(&a.slow_interval, "--slow-interval")}) {
    if (!given->empty() && target.slow.count == 0)
      throw UsageError(fmt::format(
          "{} says how slow clients are, and there are none: give --slow-clients too", option));
  }
  if (!a.slow.empty()) target.slow.kind = parse_slow_kind(a.slow);
  if (!a.slow_interval.empty())
    target.slow.interval = parse_seconds(a.slow_interval, "--slow-interval");
  target.insecure = a.insecure;
  if (!a.timeout.empty()) target.timeout = parse_seconds(a.timeout, "--timeout");
  if (!a.max_rate.empty()) target.max_rate_per_s = parse_rate(a.max_rate, "--max-rate");
  check_target(target);
  return target;
}

}  // namespace precipice::cli
