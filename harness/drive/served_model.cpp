#include "harness/drive/served_model.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <utility>

#include "harness/json.hpp"
#include "harness/serve/serve_settings.hpp"
#include "harness/trial/policy_chain.hpp"
#include "harness/trial/private_directory.hpp"
#include "harness/trial/server_process.hpp"
#include "harness/trial/spec.hpp"
#include "harness/trial/transport.hpp"
#include "models/options.hpp"
#include "models/unavailable.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kListening = "listening on http://";
constexpr Nanos kStartLimit = 30s;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The server's last word, for a message.
std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of('\n');
  if (end == std::string::npos) return "it said nothing";
  const std::size_t before = text.rfind('\n', end);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  return text.substr(begin, end + 1 - begin);
}

/// One server, from its start to its report.
class ServedModel {
 public:
  ServedModel(const std::vector<std::string>& command, const CpuSet& cpus,
              const std::function<void()>& may_give_up)
      : directory_("precipice-serve"),
        log_(directory_.path() + "/log"),
        process_(
            {.argv = command, .directory = directory_.path(), .log = log_, .quick_end = SIGKILL},
            cpus) {
    const Time until = Io::now() + kStartLimit;
    while (address_.empty()) {
      if (may_give_up) may_give_up();
      const std::string log = text_of(log_);
      const std::size_t found = log.find(kListening);
      const std::size_t end = found == std::string::npos ? found : log.find('\n', found);
      if (end != std::string::npos) {
        address_ = log.substr(found + kListening.size(), end - found - kListening.size());
      } else if (!process_.running()) {
        throw Unavailable(fmt::format("the server did not start: {}", last_line(text_of(log_))));
      } else if (Io::now() >= until) {
        throw Unavailable(fmt::format("the server does not listen after {}: {}",
                                      format_duration(kStartLimit), last_line(log)));
      } else {
        std::this_thread::sleep_for(2ms);
      }
    }
  }

  const std::string& address() const { return address_; }
  bool running() { return process_.running(); }

  /// Ends it, and reads what it has done. Null where it gives no report: see last_word.
  Json stop() {
    // One that is gone has no number any more: another process may have it.
    if (process_.running()) kill(process_.pid(), SIGTERM);
    if (!process_.wait(kStartLimit)) return nullptr;
    const std::string log = text_of(log_);
    const std::size_t begin = log.starts_with('{') ? 0 : log.find("\n{");
    if (begin == std::string::npos) return nullptr;
    // What follows the document, of a sanitizer for instance, is not the program's.
    std::istringstream from(log.substr(begin));
    Json report;
    try {
      from >> report;
    } catch (const Json::parse_error&) {
      return nullptr;
    }
    return report;
  }
  std::string last_word() {
    const std::string word = last_line(text_of(log_));
    if (process_.running()) return "it did not end: " + word;
    return fmt::format("exit code {}: {}", process_.exit_code(), word);
  }

 private:
  PrivateDirectory directory_;
  std::string log_;
  ServerProcess process_;
  std::string address_;
};

bool holds_threads(const Spec& model) {
  const auto io = model.given.find("io");
  return model.name == "fixed_pool" ||
         (model.name == "work_stealing" && io != model.given.end() && io->second == "block");
}

/// At least what the client sends in all: an open loop as many as are due, a closed one what it has
/// room for.
std::uint64_t most_requests(const TrialRequest& request) {
  // Slow clients may send whole requests too, each time that they connect.
  const std::uint64_t slow =
      std::uint64_t{1000} + 16 * parse_transport(transport_text(request.model)).slow.count;
  if (request.closed == 0) return request.schedule().size() + slow;
  constexpr double kHighestRatePerS = 500e3;
  const double most = kHighestRatePerS * seconds(request.warmup + request.window);
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(most) + 2 * request.closed + slow,
                                 serve::kMostPolicyRequests);
}

void fail(Trial& trial, std::string why) {
  trial.valid = false;
  trial.model_fault = true;
  trial.invalid_reasons.push_back({Cause::model, TrialGate::conservation, std::move(why)});
}

}  // namespace

std::shared_ptr<const std::vector<std::string>> answers_of(
    const std::vector<std::uint64_t>& digests) {
  auto answers = std::make_shared<std::vector<std::string>>();
  answers->reserve(digests.size());
  for (const std::uint64_t digest : digests) answers->push_back(fmt::format("{:016x}\n", digest));
  return answers;
}

std::vector<std::string> serve_command(const std::string& program, const TrialRequest& request,
                                       std::uint32_t connections) {
  Spec bare = request.model;
  bare.policy.clear();
  const Transport transport = parse_transport(transport_text(request.model));
  constexpr std::uint32_t kSpare = 16;  // connections that are made anew while others still end
  std::vector<std::string> command = {
      program,         "serve",
      "--model",       bare.to_string(),
      "--workload",    request.workload.to_string(),
      "--listen",      "127.0.0.1:0",
      "--cpus",        request.model_cpus.to_string(),
      "--connections", std::to_string(2 * connections + kSpare + 2 * transport.slow.count),
      "--drain",       "1s",
      "--json"};
  for (const Spec& policy : request.policies)
    command.insert(command.end(), {"--policy", policy.to_string()});
  if (numbers_anew(request.policies))
    command.insert(command.end(), {"--policy-requests", std::to_string(most_requests(request))});
  // Policies have connections run on loops. Otherwise, a worker that owned its connection would
  // leave those beyond the pool's size without any.
  if (request.policies.empty() && holds_threads(bare))
    command.insert(command.end(), {"--keepalive", "park"});
  return command;
}

std::uint32_t connections_for(const TrialRequest& request, Nanos service) {
  if (request.closed > 0)
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(request.closed, Target::kMostConnections));
  const double busy = request.rate_per_s * seconds(service);
  return static_cast<std::uint32_t>(
      std::min<double>(std::ceil(2 * busy) + 64, Target::kMostConnections));
}

Trial run_served(const TrialRequest& request, const std::vector<std::uint64_t>& digests,
                 const std::string& program, TargetRunner& client,
                 const std::function<void()>& may_give_up) {
  const WorkloadInfo& info = workload_named(request.workload.name);
  const auto work = info.make(Options(info.name, info.options, request.workload.given));
  const std::uint32_t connections = connections_for(request, work->nominal_service());
  ServedModel server(serve_command(program, request, connections), request.model_cpus, may_give_up);

  auto target = std::make_shared<Target>();
  target->name = std::string(kOverHttp);
  target->url = fmt::format("http://{}/work?seed={{seed}}", server.address());
  target->connections = connections;
  const Transport transport = parse_transport(transport_text(request.model));
  target->connection_per_request = transport.requests_per_connection == 1;
  target->requests_per_connection = transport.requests_per_connection;
  target->slow = transport.slow;
  target->answers = answers_of(digests);
  // What is slower than the drain counts as unfinished, as in the process.
  target->timeout = request.warmup + request.window + request.drain + 10s;
  TrialRequest over_sockets = request;
  over_sockets.target = std::move(target);
  Trial trial = client.run(over_sockets);
  trial.request = request;

  const bool lived = server.running();
  const Json report = server.stop();
  if (!lived) fail(trial, fmt::format("the server ended during the trial, {}", server.last_word()));
  if (!report.is_object()) {
    fail(trial, fmt::format("the server ended without a report, {}", server.last_word()));
    return trial;
  }
  if (const auto stats = report.find("model_stats"); stats != report.end()) {
    for (const auto& [name, value] : stats->items()) {
      if (value.is_number()) trial.model_stats.emplace_back(name, value.get<double>());
    }
  }
  if (const auto attempts = report.find("attempts"); attempts != report.end()) {
    for (const auto& [name, value] : attempts->items())
      trial.model_stats.emplace_back("attempts_" + name, value.get<double>());
    trial.batch = batch_figures(trial.model_stats);
    trial.note += fmt::format(
        "{}the server counts attempts, those of the warm-up included: attempts_* of model_stats",
        trial.note.empty() ? "" : "; ");
  }
  // The server counts the warm-up too, so that it has more of each.
  const auto count = [&](const char* section, const char* name) {
    const auto found = report.find(section);
    return found == report.end() ? 0 : found->value(name, std::uint64_t{0});
  };
  const std::uint64_t served = count("requests", "answered"), shed = count("by_status", "503");
  if (served < trial.counts.completed || shed < trial.counts.shed) {
    fail(trial,
         fmt::format("the server counts {} answers, {} of them 503, and the client {} and {}",
                     served, shed, trial.counts.completed, trial.counts.shed));
  }
  if (const auto wrong = trial.network->errors.find("wrong_answer");
      wrong != trial.network->errors.end())
    fail(trial, fmt::format("{} answers have another digest than inline", wrong->second));
  return trial;
}

}  // namespace precipice
