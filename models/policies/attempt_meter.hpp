// What the machine does for a policy: the innermost layer of a chain, which counts attempts.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "models/model.hpp"
#include "models/policies/attempt_counts.hpp"
#include "models/policies/timeline.hpp"

namespace precipice {

/// Stands between the innermost policy and its model. Attempts of requests whose intended arrival
/// lies in the window are counted apart, as requests are.
class AttemptMeter final : public Model {
 public:
  explicit AttemptMeter(std::unique_ptr<Model> model) : model_(std::move(model)) {}

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
  void count_by_time(const Timeline& timeline, Time from, Nanos slice, std::size_t slices);
  std::vector<std::uint64_t> begun_by_slice() const;
  /// Exact after shutdown.
  AttemptCounts inside_window() const { return counts(1); }
  AttemptCounts outside_window() const { return counts(0); }

 private:
  enum Fate : std::uint8_t { won, lost, failed, cancelled, refused, unfinished, kFates };

  static Task<void> run(void* self, Io& io, Request request);
  static void refuse(void* self, const Request& request, Refusal why) noexcept;
  std::size_t place(const Request& request) const {
    return request.intended >= from_ && request.intended < to_ ? 1 : 0;
  }
  void count(const Request& request, Fate fate) noexcept {
    fates_[place(request)][fate].fetch_add(1, std::memory_order_relaxed);
  }
  AttemptCounts counts(std::size_t place) const;
  static Fate fate_of(Refusal why) { return why == Refusal::shutdown ? unfinished : refused; }

  std::unique_ptr<Model> model_;
  Job above_;
  Time from_{}, to_{};
  const Timeline* timeline_ = nullptr;  ///< of the slices
  Time slices_from_{};
  Nanos slice_{0};
  std::vector<std::atomic<std::uint64_t>> by_slice_;
  // What submits and what ends are different threads.
  alignas(64) std::array<std::atomic<std::uint64_t>, 2> begun_{};
  alignas(64) std::array<std::array<std::atomic<std::uint64_t>, kFates>, 2> fates_{};
};

}  // namespace precipice
