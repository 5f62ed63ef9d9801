// What the machine does for a policy: the innermost layer of a chain, which counts attempts.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "models/in_flight_integral.hpp"
#include "models/model.hpp"
#include "models/policies/attempt_counts.hpp"
#include "models/policies/timeline.hpp"

namespace precipice {

/// Stands between the innermost policy and its model. Attempts of requests whose intended arrival
/// lies in the window are counted apart, as requests are.
///
/// How long attempts execute is recorded twice: a counter goes up when the model begins to execute
/// one and down when that ends, and each attempt keeps its own begin until it is counted. The
/// integral of the one is the sum of the others (Little's law), unless an attempt's execution was
/// lost or ended twice.
class AttemptMeter final : public Model {
 public:
  /// The timeline outlives the meter.
  AttemptMeter(std::unique_ptr<Model> model, const Timeline& timeline)
      : model_(std::move(model)), timeline_(timeline) {}

  unsigned executors(const CpuSet& cpus) const override { return model_->executors(cpus); }
  void start(const ModelSetup& setup) override;
  Refusal submit(const Request& request) noexcept override;
  void shutdown(Time deadline) noexcept override { model_->shutdown(deadline); }
  std::uint64_t in_flight() const noexcept override { return model_->in_flight(); }
  ModelStats stats() const override { return model_->stats(); }

  /// Before the first request. Without it all attempts are outside.
  void set_window(Time from, Time to) {
    from_ = from;
    to_ = to;
  }
  /// Before the first request: attempts are counted by the slice of time that they begin in too.
  void count_by_time(Time from, Nanos slice, std::size_t slices);
  std::vector<std::uint64_t> begun_by_slice() const;
  // Exact after shutdown.
  /// `little_error` is left to whoever compares both sides of `execution`.
  AttemptFigures inside_window() const;
  AttemptCounts outside_window() const { return counts(0); }
  AttemptExecution execution() const;

 private:
  /// `cut_off` is an unfinished attempt that had begun to execute.
  enum Fate : std::uint8_t { won, lost, failed, cancelled, refused, unfinished, cut_off, kFates };

  static Task<void> run(void* self, Io& io, Request request);
  static void refuse(void* self, const Request& request, Refusal why) noexcept;
  std::size_t place(const Request& request) const {
    return request.intended >= from_ && request.intended < to_ ? 1 : 0;
  }
  void count(const Request& request, Fate fate) noexcept {
    ended_[place(request)].fates[fate].fetch_add(1, std::memory_order_relaxed);
  }
  void count_execution(const Request& request, Time begun, Time ended) noexcept;
  AttemptCounts counts(std::size_t place) const;
  static Fate fate_of(Refusal why) { return why == Refusal::shutdown ? unfinished : refused; }

  std::unique_ptr<Model> model_;
  const Timeline& timeline_;
  Job above_;
  Time from_{}, to_{};
  Time slices_from_{};
  Nanos slice_{0};
  std::vector<std::atomic<std::uint64_t>> by_slice_;
  // What submits and what ends are different threads.
  alignas(64) std::array<std::atomic<std::uint64_t>, 2> begun_{};
  /// What ends an attempt writes one line.
  struct alignas(64) Ended {
    std::array<std::atomic<std::uint64_t>, kFates> fates{};
    std::atomic<std::int64_t> executed_ns{0};
  };
  std::array<Ended, 2> ended_;
  /// The part of all executions that lies in the window.
  alignas(64) std::atomic<std::int64_t> in_window_ns_{0};
  InFlightIntegral executing_;
};

}  // namespace precipice
