// The stages of an oracle as a Model on the virtual clock: queues in a row, each before servers of
// its own and, if wanted, behind a buffer.
#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "harness/trial/queues.hpp"
#include "harness/trial/virtual_count.hpp"
#include "harness/trial/virtual_timeline.hpp"
#include "models/model.hpp"
#include "models/oracle.hpp"
#include "workloads/stage_buffer.hpp"

namespace precipice {

/// Each request begins at once; its job's coroutine awaits `pass` at one stage after the other,
/// each of them in order of arrival. For one thread.
class VirtualStages final : public Model {
 public:
  VirtualStages(const OracleSettings& settings, const Stall& stall, VirtualTimeline& timeline);

  /// co_await: the buffer of the stage, the wait for one of its servers, and the service.
  class Passage {
   public:
    Passage(VirtualStages& all, unsigned stage, double work_ns)
        : all_(all), stage_(stage), work_ns_(work_ns) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) { all_.enter(stage_, waiting, work_ns_); }
    void await_resume() const noexcept {}

   private:
    VirtualStages& all_;
    unsigned stage_;
    double work_ns_;
  };
  Passage pass(unsigned stage, double work_ns) { return {*this, stage, work_ns}; }

  unsigned executors(const CpuSet&) const override { return 1; }
  void start(const ModelSetup& setup) override { job_ = setup.job; }
  Refusal submit(const Request& request) noexcept override;
  void shutdown(Time) noexcept override {}
  std::uint64_t in_flight() const noexcept override {
    return static_cast<std::uint64_t>(executing_.count());
  }
  ModelStats stats() const override { return {{"threads", 0}}; }
  /// Requests on their way through the stages.
  const VirtualCount& executing() const { return executing_; }

 private:
  struct Waiting {
    std::coroutine_handle<> who;
    double work_ns = 0;
  };
  struct Stage {
    VirtualStages* all = nullptr;
    std::optional<StageBuffer> buffer;
    std::deque<Waiting> buffered;  ///< they leave in order of arrival
    std::deque<Waiting> queue;
    unsigned idle = 0;  ///< of its servers
  };

  void enter(unsigned stage, std::coroutine_handle<> who, double work_ns);
  void serve(Stage& stage, const Waiting& waiting);
  static void passed_buffer(void* stage, std::uint64_t) noexcept;
  static void served(void* stage, std::uint64_t who) noexcept;

  const OracleSettings settings_;
  const Stall stall_;
  VirtualTimeline& timeline_;
  Job job_;
  std::vector<std::unique_ptr<Stage>> stages_;
  VirtualCount executing_;
};

}  // namespace precipice
