// The servers of the oracle as a Model on the virtual clock: what policies meet there.
#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>
#include <vector>

#include "harness/trial/queues.hpp"
#include "harness/trial/virtual_count.hpp"
#include "harness/trial/virtual_timeline.hpp"
#include "models/model.hpp"
#include "models/oracle.hpp"

namespace precipice {

/// A request occupies a server from the start of its job's coroutine to its end; the coroutine
/// says how long by awaiting `service`. For one thread.
class VirtualServers final : public Model {
 public:
  VirtualServers(const OracleSettings& settings, const Stall& stall, VirtualTimeline& timeline);

  /// co_await: takes this much of the server's time.
  class Service {
   public:
    Service(VirtualServers& servers, double work_ns) : servers_(servers), work_ns_(work_ns) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) { servers_.serve(work_ns_, waiting); }
    void await_resume() const noexcept {}

   private:
    VirtualServers& servers_;
    double work_ns_;
  };
  Service service(double work_ns) { return {*this, work_ns}; }

  unsigned executors(const CpuSet&) const override { return 1; }
  void start(const ModelSetup& setup) override { job_ = setup.job; }
  Refusal submit(const Request& request) noexcept override;
  void shutdown(Time) noexcept override {}
  std::uint64_t in_flight() const noexcept override { return inside_; }
  ModelStats stats() const override { return {{"threads", 0}}; }
  /// Requests that occupy a server, or share them.
  const VirtualCount& executing() const { return executing_; }

 private:
  struct Server {
    VirtualServers* all = nullptr;
    bool busy = false;
    std::deque<Request> queue;  ///< its own, where requests are split
  };

  static void left(void* server) noexcept;
  static void resume(void* waiting, std::uint64_t) noexcept;
  static void share(void* self, std::uint64_t round) noexcept;
  bool splits() const { return settings_.discipline == OracleSettings::Discipline::random_split; }
  bool shares() const { return settings_.discipline == OracleSettings::Discipline::ps; }
  std::size_t server_of(const Request& request) const;
  void serve(double work_ns, std::coroutine_handle<> waiting);
  void expect_next_end();
  /// Starts what can start. Ends within it submit and leave; they do not start others themselves.
  void start_waiting();
  void execute_on(Server& server, const Request& request);

  const OracleSettings settings_;
  const Stall stall_;
  VirtualTimeline& timeline_;
  Job job_;
  std::vector<Server> servers_;
  std::vector<Server*> idle_;  ///< of the common queue
  std::deque<Request> queue_;
  std::vector<Server*> may_start_;  ///< of those with a queue of their own
  std::uint64_t inside_ = 0;
  bool starting_ = false;
  VirtualCount executing_;
  Sharing sharing_;
  std::uint64_t round_ = 0;  ///< of expected ends: an arrival makes the last one void
};

}  // namespace precipice
