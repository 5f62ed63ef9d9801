// precipice serve: an HTTP server whose connections a model executes.
#include <fmt/format.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "harness/cli/common_options.hpp"
#include "harness/serve/listener.hpp"
#include "harness/serve/server.hpp"
#include "harness/trial/policy_chain.hpp"
#include "harness/trial/spec.hpp"

namespace precipice::cli {
namespace {

using serve::ServeSettings;

struct ServeArguments {
  std::string model, workload = "empty", listen = "127.0.0.1:8080", cpus;
  std::string placement = "balanced", keepalive = "own";
  std::string header_limit, body_limit, connections;
  std::string policy_requests;
  std::string idle_timeout, header_timeout, body_timeout, write_timeout, drain;
  std::vector<std::string> policies;
  bool json = false;
};

constexpr Nanos kDrain = std::chrono::seconds(10);

/// 0 is for ever; what is shorter than a millisecond is one.
void read_timeout(const std::string& text, std::string_view option,
                  std::chrono::milliseconds& timeout) {
  if (!text.empty())
    timeout = std::chrono::ceil<std::chrono::milliseconds>(parse_seconds(text, option, true));
}

std::uint64_t read_bytes(const std::string& text, std::string_view option, std::uint64_t least,
                         std::uint64_t most) {
  const std::uint64_t bytes = parse_bytes(text, option);
  if (bytes < least || bytes > most)
    throw UsageError(
        fmt::format("{} '{}' should be from {} to {} bytes", option, text, least, most));
  return bytes;
}

/// Throws UsageError unless `text` is one of the two.
bool is_second(const std::string& text, std::string_view option, std::string_view first,
               std::string_view second) {
  if (text != first && text != second)
    throw UsageError(fmt::format("{} '{}' is neither {} nor {}", option, text, first, second));
  return text == second;
}

ServeSettings settings_from(const ServeArguments& a) {
  ServeSettings s;
  s.model = parse_model(a.model);
  s.policies = parse_policies_of(a.policies, s.model);
  check_policies(s.policies, Nanos(0), ClockKind::real);
  if (!a.policy_requests.empty()) {
    s.policy_requests = static_cast<std::uint32_t>(
        parse_count(a.policy_requests, "--policy-requests", 1, serve::kMostPolicyRequests));
  }
  s.workload = parse_workload(a.workload);
  s.listen = serve::parse_address(a.listen);
  s.cpus = a.cpus.empty() ? CpuSet::of_this_thread() : CpuSet::parse(a.cpus);
  if (is_second(a.placement, "--placement", "balanced", "reuseport"))
    s.placement = serve::Placement::reuseport;
  if (is_second(a.keepalive, "--keepalive", "own", "park")) s.keep_alive = serve::KeepAlive::park;
  if (!a.header_limit.empty()) {
    auto& head = s.limits.head;
    head.head_bytes = static_cast<std::uint32_t>(
        read_bytes(a.header_limit, "--header-limit", 256, std::uint64_t{1} << 20));
    head.target_bytes = head.head_bytes / 2;
  }
  if (!a.body_limit.empty())
    s.limits.body.content_bytes =
        read_bytes(a.body_limit, "--body-limit", 0, std::uint64_t{1} << 30);
  if (!a.connections.empty())
    s.connections = parse_count(a.connections, "--connections", 1, 10'000'000);
  read_timeout(a.idle_timeout, "--idle-timeout", s.timeouts.idle);
  read_timeout(a.header_timeout, "--header-timeout", s.timeouts.header);
  read_timeout(a.body_timeout, "--body-timeout", s.timeouts.body);
  read_timeout(a.write_timeout, "--write-timeout", s.timeouts.write);
  return s;
}

/// SIGINT and SIGTERM, kept from every thread that begins while this lives, and waited for here.
class EndSignals {
 public:
  EndSignals() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGINT);
    ::sigaddset(&set_, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
    ::signal(SIGPIPE, SIG_IGN);
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  void wait() const {
    while (::sigwaitinfo(&set_, nullptr) < 0) {
    }
  }
  /// Whether another one has come since.
  bool again() const {
    constexpr timespec kAtOnce{};
    return ::sigtimedwait(&set_, nullptr, &kAtOnce) > 0;
  }

 private:
  sigset_t set_{}, before_{};
};

int serve_until_told(const ServeArguments& arguments) {
  const ServeSettings settings = settings_from(arguments);
  const Nanos drain =
      arguments.drain.empty() ? kDrain : parse_seconds(arguments.drain, "--drain", true);
  const EndSignals signals;
  serve::Server server(settings);
  const std::string line =
      fmt::format("listening on http://{}\n", serve::to_string(server.address()));
  // With --json, stdout has one document and nothing else.
  if (arguments.json) {
    remark(line.substr(0, line.size() - 1));
  } else {
    print_data(line);
  }
  signals.wait();
  remark(fmt::format("stopping: what is under way has {} to end; a second signal ends it at once",
                     format_duration(drain)));
  const serve::ServeReport report =
      server.stop(Io::now() + drain, [&signals] { return signals.again(); });
  if (arguments.json) {
    print_json(to_json(report));
  } else {
    print_text(to_text(report));
  }
  return kDone;
}

void add_options(OptionParser& parser, ServeArguments& a) {
  parser.add_required("--model", a.model, kModelHelp);
  parser.add_option("--workload", a.workload, "What /work?seed=N runs (default: empty)");
  add_policies(parser, a.policies);
  parser.add_option("--policy-requests", a.policy_requests,
                    "With --policy batch: most requests that ever go through it, as in 100k; later "
                    "ones get a 503");
  parser.add_option("--listen", a.listen,
                    "Address and port (default: 127.0.0.1:8080; port 0: any, which is printed)");
  parser.add_option("--cpus", a.cpus, "CPUs of the model, as in 0 or 0,2-3 (default: all allowed)");
  parser.add_option("--placement", a.placement,
                    "balanced (default: one acceptor, each connection to the emptiest executor) or "
                    "reuseport (each executor accepts its own)");
  parser.add_option(
      "--keepalive", a.keepalive,
      "own (default: an idle connection keeps its thread) or park (one thread watches "
      "all idle connections; for models that block)");
  parser.add_option("--connections", a.connections,
                    "Most connections at once (default: 16384); more get a 503 and are closed");
  parser.add_option("--header-limit", a.header_limit,
                    "Most bytes of a request's head (default: 16KiB; half of it for the target)");
  parser.add_option("--body-limit", a.body_limit, "Most bytes of a body (default: 1MiB)");
  parser.add_option("--idle-timeout", a.idle_timeout,
                    "Between requests of a connection (default: 75s; 0s: for ever)");
  parser.add_option("--header-timeout", a.header_timeout,
                    "From the first byte of a head to its last (default: 10s)");
  parser.add_option("--body-timeout", a.body_timeout, "For the whole body (default: 60s)");
  parser.add_option("--write-timeout", a.write_timeout,
                    "For an answer of which the peer reads nothing (default: 10s)");
  parser.add_option("--drain", a.drain,
                    "After SIGTERM or SIGINT, for what is under way (default: 10s)");
  add_json(parser, a.json);
  parser.footer(
      "Resources: /plain, /work?seed=N, /echo (POST), /health, /metrics (Prometheus)\n"
      "Examples:\n"
      "  precipice serve --model event_loop --listen 127.0.0.1:8080\n"
      "  precipice serve --model fixed_pool:threads=16 --workload cpu:work=200us --listen 0");
}

}  // namespace

Verb serve_verb() {
  return make_verb<ServeArguments>("serve", "An HTTP server whose connections a model executes",
                                   add_options, serve_until_told);
}

}  // namespace precipice::cli
