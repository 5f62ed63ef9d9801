#include "harness/serve/server.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "harness/serve/acceptor.hpp"
#include "harness/serve/listener.hpp"
#include "harness/serve/metrics_text.hpp"
#include "harness/serve/native_acceptors.hpp"
#include "harness/serve/parking.hpp"
#include "harness/serve/service.hpp"
#include "harness/trial/downstreams.hpp"
#include "harness/trial/trial_runner.hpp"
#include "models/new_thread.hpp"

namespace precipice::serve {
namespace {

// Beside the connections: libraries, the engine's own, files of the workload, the standard streams.
constexpr std::size_t kOwnDescriptors = 128;
// What a workload with a pool of connections is told to expect, where its options do not say.
constexpr std::uint64_t kConcurrency = 256;

std::unique_ptr<Model> make_model(const Spec& spec) {
  const ModelInfo& info = model_named(spec.name);
  if (info.control) {
    throw UsageError(fmt::format(
        "--model {}: a control serves nobody; choose one of the models that it is compared with",
        spec.name));
  }
  if (const auto reason = info.unavailable())
    throw Unavailable(fmt::format("{} cannot run here: {}", info.name, *reason));
  return info.make(Options(info.name, info.options, spec.given));
}

std::unique_ptr<Workload> make_workload(const Spec& spec) {
  const WorkloadInfo& info = workload_named(spec.name);
  if (info.files) std::filesystem::create_directories(default_scratch_directory());
  return info.make(Options(info.name, info.options, spec.given));
}

void check(const ServeSettings& settings) {
  const std::string& model = settings.model.name;
  const bool loops = model == "event_loop" || model == "io_uring" || !settings.policies.empty();
  if (settings.placement == Placement::reuseport && !loops) {
    throw UsageError(fmt::format(
        "--placement reuseport: {} has one executor; give it to event_loop or io_uring", model));
  }
  if (settings.policies.empty() && settings.policy_requests > 0) {
    throw UsageError("--policy-requests: there is no --policy that requests go through");
  }
  if (settings.keep_alive == KeepAlive::park && loops) {
    throw UsageError(fmt::format(
        "--keepalive park: on {} idle connections hold no thread; leave it out", model));
  }
}

std::unique_ptr<PolicyFront> make_front(const ServeSettings& settings, Workload& workload) {
  if (settings.policies.empty()) return nullptr;
  return std::make_unique<PolicyFront>(settings.policies, settings.policy_requests,
                                       make_model(settings.model), workload, settings.cpus);
}

void require_descriptors(std::size_t connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < connections + kOwnDescriptors) {
    throw Unavailable(fmt::format(
        "{} connections need as many descriptors and {} more, but {} are allowed: raise the limit "
        "(ulimit -n), or ask for fewer (--connections)",
        connections, kOwnDescriptors, limit.rlim_max));
  }
}

}  // namespace

class Server::Running {
 public:
  explicit Running(const ServeSettings& settings)
      : settings_(settings),
        started_(Io::now()),
        workload_(make_workload(settings.workload)),
        model_(make_model(settings.policies.empty() ? settings.model : Spec{"event_loop", {}})),
        front_(make_front(settings, *workload_)),
        executors_(model_->executors(settings.cpus)),
        table_(settings.connections, executors_, settings.timeouts),
        metrics_(executors_),
        service_(*workload_, settings.limits, table_, metrics_, executors_,
                 [this] { return page(); }),
        listener_(settings.listen, settings.placement == Placement::reuseport) {
    check(settings);
    try {
      start();
    } catch (...) {
      end();
      throw;
    }
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { end(); }

  sockaddr_in address() const { return address_; }

  ServeReport report() const {
    ServeReport report;
    report.model = settings_.model.to_string();
    report.workload = settings_.workload.to_string();
    report.address = to_string(address_);
    report.elapsed_s = seconds(Io::now() - started_);
    const auto add = [&report](const auto& acceptor) {
      if (!acceptor) return;
      report.accepted += acceptor->accepted();
      report.refused_connections += acceptor->without_place();
    };
    add(acceptor_);
    add(native_);
    report.refused_connections += service_.turned_away();
    report.counts = metrics_.sum();
    for (unsigned i = 0; i < executors_; ++i)
      report.executors.push_back({table_.opened_on(i), metrics_.requests_on(i)});
    report.model_stats = stats();
    report.attempts = front_ ? std::optional(front_->attempts()) : last_attempts_;
    return report;
  }

  ServeReport stop(Time deadline, const std::function<bool()>& hurry) {
    const ModelStats at_work = stats();
    service_.end();
    stop_accepting();
    listener_.close();
    wake_sweeper();
    while (table_.count() > 0 && Io::now() < deadline && !(hurry && hurry()))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::uint64_t requests = table_.requests(), connections = table_.count();
    end();
    ServeReport result = report();
    result.unfinished_requests = requests;
    result.unfinished_connections = connections;
    // Threads and queues are there only while it works.
    for (auto& [name, value] : result.model_stats) {
      for (const auto& [same, before] : at_work) {
        if (same == name && before > value) value = before;
      }
    }
    return result;
  }

 private:
  void start() {
    require_descriptors(settings_.connections);
    WorkloadSetup setup;
    setup.executors = front_ ? front_->chain().executors(settings_.cpus) : executors_;
    setup.concurrency = kConcurrency;
    setup.scratch_directory = default_scratch_directory();
    downstream_.emplace(downstreams_, *workload_, CpuSet::of_this_thread(), setup);
    workload_->prepare(setup);
    if (settings_.placement == Placement::reuseport) {
      std::vector<Listener> listeners;
      listeners.push_back(std::move(listener_));
      while (listeners.size() < executors_) listeners.emplace_back(address_, true);
      native_.emplace(std::move(listeners), *model_, service_, table_);
    }
    if (front_) {
      front_->start(settings_.cpus);
      service_.ask_through(*front_);
    }
    model_->start({.cpus = settings_.cpus,
                   .job = native_ ? native_->job() : service_.job(),
                   .files = workload_->files(),
                   .block_bytes = workload_->block_bytes()});
    sweeper_ = new_thread("the thread that watches the timeouts", [this] { sweep(); });
    if (settings_.keep_alive == KeepAlive::park) {
      parking_.emplace(*model_, service_, table_);
      service_.park_by([this](Slot& slot) { return parking_->park(slot); });
    }
    if (native_) {
      native_->start();
    } else {
      acceptor_.emplace(listener_, *model_, service_, table_, settings_.cpus);
    }
  }

  /// Of the named model.
  ModelStats stats() const {
    if (front_) return front_->chain().stats();
    return model_ ? model_->stats() : last_stats_;
  }

  void stop_accepting() noexcept {
    if (acceptor_) acceptor_->stop();
    if (native_) native_->stop();
  }

  std::string page() const {
    const ServeReport now = report();
    return metrics_text({.model = now.model,
                         .counts = now.counts,
                         .connections = table_.count(),
                         .accepted = now.accepted,
                         .refused_connections = now.refused_connections,
                         .model_stats = now.model_stats});
  }

  // While the server ends, idle connections are looked for as often as the kernel's clock allows.
  void sweep() {
    name_this_thread("sweeper");
    std::unique_lock lock(mutex_);
    while (!over_) {
      const bool ending = service_.ending();
      table_.sweep(Io::now(), ending);
      changed_.wait_for(lock, ending ? std::chrono::milliseconds(5) : table_.interval());
    }
  }

  void wake_sweeper() noexcept {
    // Under the lock, or it might miss the change just before it waits.
    { const std::lock_guard lock(mutex_); }
    changed_.notify_one();
  }

  // Nothing of the server runs when it returns.
  void end() noexcept {
    if (!model_) return;
    service_.end();
    stop_accepting();
    if (parking_) parking_->stop();
    // Its requests end first: connections wait for them.
    if (front_) front_->chain().shutdown(Io::now());
    model_->shutdown(Io::now());
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_one();
    if (sweeper_.joinable()) sweeper_.join();
    try {
      last_stats_ = stats();
    } catch (const std::bad_alloc&) {  // the end does not wait for the figures
    }
    // What its engine has registered goes before descriptors are closed.
    model_.reset();
    if (front_) last_attempts_ = front_->attempts();
    front_.reset();
    table_.close_all();
    workload_->finish();
  }

  const ServeSettings settings_;
  const Time started_;
  Downstreams downstreams_;
  std::optional<ServedDownstream> downstream_;
  std::unique_ptr<Workload> workload_;
  std::unique_ptr<Model> model_;        ///< of the connections
  std::unique_ptr<PolicyFront> front_;  ///< of the work, where there are policies
  const unsigned executors_;            ///< of the connections
  ConnectionTable table_;
  ServerMetrics metrics_;
  Service service_;
  Listener listener_;
  const sockaddr_in address_ = listener_.address();
  std::optional<Acceptor> acceptor_;
  std::optional<NativeAcceptors> native_;
  std::optional<Parking> parking_;
  ModelStats last_stats_;
  std::optional<AttemptCounts> last_attempts_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread sweeper_;
};

Server::Server(const ServeSettings& settings) : running_(std::make_unique<Running>(settings)) {}
Server::~Server() = default;
sockaddr_in Server::address() const { return running_->address(); }
ServeReport Server::report() const { return running_->report(); }
ServeReport Server::stop(Time deadline, const std::function<bool()>& hurry) {
  return running_->stop(deadline, hurry);
}

}  // namespace precipice::serve
