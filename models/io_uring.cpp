// io_uring: one ring per CPU, each owned by one pinned thread. Everything that requests wait for on
// sockets and files is submitted in batches and completed by the kernel; sleeps share one heap and
// ride on the wait itself.
//
// Hand-off: a locked queue per ring; its eventfd is written only when its thread sleeps, so under
// load a submit makes no system call.
#include <algorithm>
#include <atomic>
#include <bit>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "models/admission.hpp"
#include "models/model.hpp"
#include "models/pinned_thread.hpp"
#include "models/ring.hpp"
#include "models/ring_setup.hpp"
#include "models/spin.hpp"
#include "models/unavailable.hpp"

namespace precipice {
namespace {

// The largest completion queue asked for: 16 bytes each are 256 KiB, which still fits a
// second-level cache. What completes beyond it waits in the kernel (NODROP) and is counted.
constexpr std::uint64_t kMostCompletions = 16384;

class IoUring final : public Model {
 public:
  explicit IoUring(const Options& options)
      : limit_(options.count("in_flight_limit", 1, std::uint64_t{1} << 40)),
        entries_(static_cast<unsigned>(options.count("entries", 8, 32768))),
        workers_(static_cast<unsigned>(options.count("iowq_workers", 1, 1024))),
        deadline_(options.duration("deadline")),
        spin_(spin_of(options)),
        admission_(limit_) {}
  ~IoUring() override { shutdown(Io::now()); }

  unsigned executors(const CpuSet& cpus) const override {
    return static_cast<unsigned>(cpus.size());
  }

  void start(const ModelSetup& setup) override {
    try {
      RingSettings settings;
      settings.job = setup.job;
      settings.deadline = deadline_;
      settings.spin = spin_;
      settings.entries = entries_;
      settings.completions = static_cast<unsigned>(std::clamp<std::uint64_t>(
          std::bit_ceil(std::min(limit_, kMostCompletions)), std::uint64_t{2} * entries_,
          std::max<std::uint64_t>(kMostCompletions, std::uint64_t{2} * entries_)));
      settings.workers = workers_;
      settings.worker_cpus = setup.cpus;
      settings.files = setup.files;
      settings.block_bytes = setup.block_bytes;
      for (std::size_t i = 0; i < setup.cpus.size(); ++i) {
        open_ring(static_cast<unsigned>(i), setup.cpus.list()[i], settings);
      }
    } catch (...) {
      shutdown(Io::now());
      throw_unavailable("io_uring");
    }
    admission_.open();
  }

  Refusal submit(const Request& request) noexcept override {
    if (const Refusal refusal = admission_.enter(); refusal != Refusal::none) return refusal;
    // Dense ids make this a round robin without a shared counter.
    Ring* ring = Ring::current();
    if (ring == nullptr || !ring->belongs_to(admission_)) {
      ring = rings_[(request.id + request.attempt) % rings_.size()].get();
    }
    const Refusal refusal = ring->offer(request);
    if (refusal != Refusal::none) admission_.leave();
    return refusal;
  }

  void shutdown(Time deadline) noexcept override {
    if (stopped_) return;
    admission_.close();
    if (!admission_.wait_until_empty(deadline)) {
      for (const auto& ring : rings_) ring->cancel();
      admission_.wait_until_empty(Time::max());
    }
    for (const auto& ring : rings_) ring->leave();
    for (std::thread& thread : threads_) thread.join();
    stopped_ = true;
  }

  std::uint64_t in_flight() const noexcept override { return admission_.count(); }

  ModelStats stats() const override {
    const auto total = [this](auto figure) {
      std::uint64_t sum = 0;
      for (const auto& ring : rings_) sum += figure(*ring);
      return static_cast<double>(sum);
    };
    const auto tally = [&total](Tally RingTallies::*which) {
      return total([which](const Ring& ring) { return (ring.tallies().*which).get(); });
    };
    const double workers = stopped_ ? 0 : total([](const Ring& ring) -> std::uint64_t {
      return ring_workers(ring.thread_id());
    });
    const double submits = tally(&RingTallies::submits);
    const double sqes = tally(&RingTallies::sqes);
    ModelStats figures{
        {"threads", stopped_ ? 0 : static_cast<double>(threads_.size()) + workers},
        {"rings", static_cast<double>(rings_.size())},
        {"iowq_workers", workers},
        {"queue_depth", total([](const Ring& ring) { return ring.queued(); })},
        {"sleepers", tally(&RingTallies::sleepers)},
        {"submit_batch_mean", submits > 0 ? sqes / submits : 0},
        {"enters", tally(&RingTallies::enters)},
        {"sqes", sqes},
        {"cqes", tally(&RingTallies::cqes)},
        {"cq_overflows", tally(&RingTallies::overflows)},
        {"cq_dropped", tally(&RingTallies::dropped)},
        {"sq_full", tally(&RingTallies::full)},
        {"enter_errors", tally(&RingTallies::errors)},
        {"fixed_reads", tally(&RingTallies::fixed_reads)},
        {"wakes", total([](const Ring& ring) { return ring.tallies().wakes.load(); })}};
    if (spin_ > Nanos{0}) add_spin_figures(rings_, figures);
    if (!rings_.empty()) {
      const Ring& first = *rings_.front();
      figures.emplace_back("setup_flags", static_cast<double>(first.tallies().setup_flags.get()));
      for (const std::string& fallback : first.fallbacks()) {
        figures.emplace_back("fallback: " + fallback, 1);
      }
    }
    return figures;
  }

 private:
  void open_ring(unsigned index, int cpu, const RingSettings& settings) {
    rings_.push_back(std::make_unique<Ring>(index, settings, admission_));
    Ring& ring = *rings_.back();
    auto opened = std::make_shared<std::promise<void>>();
    std::future<void> ready = opened->get_future();
    start_thread(threads_, "ring/" + std::to_string(index), CpuSet({cpu}), [&ring, opened] {
      try {
        ring.open();
      } catch (...) {
        opened->set_exception(std::current_exception());
        return;
      }
      opened->set_value();
      ring.run();
    });
    ready.get();
  }

  const std::uint64_t limit_;
  const unsigned entries_;
  const unsigned workers_;
  const Nanos deadline_;
  const Nanos spin_;
  Admission admission_;
  std::atomic<bool> stopped_{false};
  std::vector<std::unique_ptr<Ring>> rings_;
  std::vector<std::thread> threads_;
};

}  // namespace

ModelInfo io_uring_model() {
  return {
      "io_uring",
      "one ring per CPU; requests wait in the kernel's completion queue, submitted in batches",
      false,
      {{"entries", "256",
        "size of each submission queue, 8-32768; 256 is 32 arrivals and 64 completions a pass "
        "several times over, in 16 KiB"},
       {"iowq_workers", "4",
        "kernel threads that each ring may use for what would block, bounded and unbounded work "
        "alike; 1-1024 (as many as event_loop's offload threads, on one CPU)"},
       {"in_flight_limit", kInFlightLimitDefault,
        "requests accepted and not yet ended; more are shed, so that overload is not paid in "
        "memory"},
       {"deadline", "0s", "a request older than this when it would begin is refused; 0s is never"},
       kSpinKey},
      [](const Options& options) -> std::unique_ptr<Model> {
        return std::make_unique<IoUring>(options);
      },
      ring_unavailable};
}

}  // namespace precipice
