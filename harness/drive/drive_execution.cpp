#include "harness/drive/drive_execution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "harness/drive/listen_queue.hpp"
#include "harness/drive/network_gates.hpp"
#include "harness/trial/gates.hpp"
#include "harness/trial/limits.hpp"
#include "harness/trial/memory_need.hpp"
#include "harness/trial/trial_summary.hpp"
#include "models/pinned_thread.hpp"

namespace precipice {
namespace {

// What a closed loop of one thread may reach over sockets, and how many of its requests are kept.
constexpr double kHighestRateOfThread = 500e3;
constexpr std::size_t kMostClosedSlots = 20'000'000;

bool share_a_cpu(const CpuSet& a, const CpuSet& b) {
  return std::any_of(a.list().begin(), a.list().end(), [&](int cpu) { return b.contains(cpu); });
}

std::size_t closed_slots(const TrialRequest& request, std::uint32_t threads) {
  double rate = kHighestRateOfThread * threads;
  if (request.target->max_rate_per_s > 0) rate = std::min(rate, request.target->max_rate_per_s);
  const double think_s = seconds(request.think);
  if (think_s > 0) rate = std::min(rate, static_cast<double>(request.closed) / think_s);
  const double wanted = rate * seconds(request.warmup + request.window) +
                        2 * static_cast<double>(request.closed) + 1000;
  return static_cast<std::size_t>(std::min(wanted, static_cast<double>(kMostClosedSlots)));
}

/// The CPU numbered `index` of the set, in turn.
CpuSet one_of(const CpuSet& cpus, std::uint32_t index) {
  return CpuSet({cpus.list()[index % cpus.size()]});
}

}  // namespace

DriveExecution::DriveExecution(const TrialRequest& request, const Endpoint& endpoint,
                               const TlsContext* tls, RequestText text, RequestText last_text,
                               const std::atomic<bool>* stop)
    : request_(request),
      target_(*request.target),
      endpoint_(endpoint),
      stop_(stop),
      warmup_ns_(request.warmup.count()),
      end_ns_(warmup_ns_ + request.window.count()),
      deadline_ns_(end_ns_ + request.drain.count()),
      text_(std::move(text)),
      last_text_(std::move(last_text)) {
  trial_.request = request;
  settings_.endpoint = &endpoint_;
  settings_.tls = tls;
}

ClientLoop::Share DriveExecution::share_of(std::uint32_t thread) const {
  // Connections, and the lanes of a closed loop, are dealt out in turn.
  const auto part = [&](std::uint64_t whole) {
    return whole / target_.threads + (thread < whole % target_.threads ? 1 : 0);
  };
  ClientLoop::Share share;
  share.first = thread;
  share.stride = target_.threads;
  share.lanes = part(request_.closed);
  share.connections = static_cast<std::uint32_t>(
      std::max<std::uint64_t>(1, open_loop() ? part(target_.connections) : share.lanes));
  return share;
}

void DriveExecution::set_up(Nanos margin) {
  std::uint64_t requests = closed_slots(request_, target_.threads);
  if (open_loop()) {
    intended_ = request_.schedule();
    requests = intended_.size();
  }
  require_memory(memory_need(request_, requests, Nanos(0)),
                 fmt::format("{} requests in one trial", requests),
                 open_loop() ? "lower the rate or the window" : "a shorter window");
  slots_.emplace(requests);
  trial_.no_spin = share_a_cpu(request_.generator_cpus, request_.model_cpus) ||
                   target_.threads > request_.generator_cpus.size();
  trial_.speed_ns = probe_speed_ns();

  settings_.intended_ns = intended_;
  settings_.next_id = &next_id_;
  settings_.seed = request_.seed;
  settings_.window_begin_ns = warmup_ns_;
  settings_.end_ns = end_ns_;
  settings_.deadline_ns = deadline_ns_;
  settings_.think = request_.think;
  if (target_.max_rate_per_s > 0)
    settings_.least_gap_ns =
        static_cast<std::int64_t>(std::ceil(1e9 * target_.threads / target_.max_rate_per_s));
  settings_.timeout = target_.timeout;
  settings_.connection_per_request = target_.connection_per_request;
  settings_.requests_per_connection = target_.requests_per_connection;
  settings_.expected = target_.expected_file.empty() ? nullptr : &target_.expected;
  settings_.answers = target_.answers.get();
  settings_.spin = !trial_.no_spin;
  settings_.margin = margin;
  settings_.stop = stop_;
  settings_.slots = &*slots_;
  settings_.in_flight = &in_flight_;
  peak_memory_.emplace();
}

void DriveExecution::execute(const std::function<void(int, const SecondTally&)>& on_second) {
  DriveProgress progress(target_.threads);
  if (on_second) settings_.progress = &progress;
  for (std::uint32_t i = 0; i < target_.threads; ++i) {
    if (request_.closed > 0 && share_of(i).lanes == 0) break;  // fewer lanes than threads
    loops_.push_back(std::make_unique<ClientLoop>(settings_, share_of(i), text_, last_text_));
    loops_.back()->open();
  }
  if (target_.slow.count > 0) {
    slow_.emplace(endpoint_, settings_.tls, target_.slow, text_.of(0), stop_);
    slow_->start(request_.generator_cpus);
  }
  reports_.resize(loops_.size());
  watch_.emplace(united(request_.generator_cpus, request_.model_cpus));
  if (endpoint_.local) overflows_before_ = read_listen_overflows();
  const double cpu_before_ns = ResourceUsage::now().process_cpu_ns;

  std::vector<std::exception_ptr> failed(loops_.size());
  std::atomic<std::size_t> running{loops_.size()};
  const Time epoch = Io::now() + std::chrono::milliseconds(5);
  {
    std::vector<std::thread> threads;
    struct Joined {
      std::vector<std::thread>& threads;
      ~Joined() {
        for (std::thread& each : threads) each.join();
      }
    } const joined{threads};
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      start_thread(threads, fmt::format("drive {}", i),
                   one_of(request_.generator_cpus, static_cast<std::uint32_t>(i)), [&, i] {
                     try {
                       reports_[i] = loops_[i]->run(epoch);
                     } catch (...) {
                       failed[i] = std::current_exception();
                     }
                     running.fetch_sub(1);
                   });
    }
    while (running.load() > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (on_second) progress.take(on_second);
    }
  }
  if (on_second) progress.take(on_second, true);
  if (slow_) slow_report_ = slow_->stop();
  for (const std::exception_ptr& each : failed) {
    if (each) std::rethrow_exception(each);
  }
  interrupted_ = stop_ != nullptr && stop_->load();
  if (endpoint_.local) overflows_after_ = read_listen_overflows();
  process_cpu_ns_ = ResourceUsage::now().process_cpu_ns - cpu_before_ns;
  host_ = watch_->end(epoch + request_.warmup, epoch + Nanos(end_ns_));
  trial_.peak_rss_bytes = peak_memory_->bytes();
}

void DriveExecution::fill_network() {
  NetworkFigures& figures = trial_.network.emplace();
  figures.connections = open_loop() ? target_.connections : request_.closed;
  figures.threads = loops_.size();
  figures.slow_clients = target_.slow.count;
  figures.slow_lost = slow_report_.lost;
  const auto window_ns = static_cast<double>(request_.window.count());
  for (const ClientReport& each : reports_) {
    figures.connects += each.connects;
    figures.failed_connects += each.failed_connects;
    figures.partial_sends += each.partial_sends;
    figures.all_busy += each.all_busy_ns / window_ns / static_cast<double>(reports_.size());
    const bool blocks = !settings_.spin || !open_loop();
    figures.client_busy =
        std::max(figures.client_busy, (blocks ? each.cpu_ns : each.busy_ns) / window_ns);
  }
  if (overflows_before_ && overflows_after_)
    figures.listen_overflows = *overflows_after_ - *overflows_before_;
}

void DriveExecution::count_costs() {
  const auto issued = static_cast<double>(
      trial_.request.closed > 0 ? std::min(next_id_.load(), slots_->size()) : intended_.size());
  double client_ns = 0;
  for (const ClientReport& each : reports_) client_ns += each.all_cpu_ns;
  trial_.cpu_generator_ns = issued > 0 ? client_ns / issued : 0;
  // What ran on the server's CPUs and was not this process. Where the two share CPUs, or the server
  // is elsewhere, nothing tells it.
  trial_.cpu_model_ns = std::numeric_limits<double>::quiet_NaN();
  if (!endpoint_.local || share_a_cpu(request_.generator_cpus, request_.model_cpus) || issued <= 0)
    return;
  double busy_ns = 0;
  for (const WatchedCpu& each : host_.cpus) {
    if (request_.model_cpus.contains(each.cpu)) busy_ns += each.busy_ns - each.probe_cpu_ns;
  }
  const double watcher_ns =
      std::max(0.0, process_cpu_ns_ - client_ns - slow_report_.cpu_ns - host_.probes_cpu_ns);
  trial_.cpu_model_ns = std::max(0.0, busy_ns - watcher_ns) / issued;
}

Trial DriveExecution::conclude() {
  Recording recording;
  recording.intended_ns = intended_;
  recording.slots = &*slots_;
  recording.issued = open_loop() ? intended_.size() : std::min(next_id_.load(), slots_->size());
  recording.window_begin_ns = warmup_ns_;
  recording.window_end_ns = end_ns_;
  recording.deadline_ns = deadline_ns_;
  recording.schedule_seed = request_.seed;
  GateInput gates;
  gates.executed_elsewhere = true;
  gates.host = host_;
  gates.stamps = summarise(recording, trial_);
  gates.integral_ns = in_flight_.integral_ns();
  gates.still_in_flight = in_flight_.in_flight();
  if (open_loop() && intended_.size() > 1 && trial_.counts.unsent == 0) {
    gates.perfect_span_ns = static_cast<double>(intended_.back() - intended_.front());
    gates.realised_span_ns = static_cast<double>(slots_->sent(intended_.size() - 1).dispatch_ns -
                                                 slots_->sent(0).dispatch_ns);
  }
  fill_network();
  measure_network(recording, trial_);
  count_costs();
  apply_network_gates(trial_);
  apply_gates(gates, trial_);
  // The server's own CPU time is in it, which no one can take out.
  trial_.neighbours.took_ns = std::numeric_limits<double>::quiet_NaN();
  if (interrupted_) {
    trial_.valid = false;
    trial_.invalid_reasons.push_back(
        {Cause::generator, TrialGate::interrupted, "the trial was interrupted"});
  }
  if (!open_loop() && next_id_.load() > slots_->size()) {
    trial_.valid = false;
    trial_.invalid_reasons.push_back({Cause::generator, TrialGate::slots,
                                      "the closed loop ran out of slots; shorten the window"});
  }
  return std::move(trial_);
}

}  // namespace precipice
