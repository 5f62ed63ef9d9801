// Stages in a row: each request passes all of them, and each stage has servers and a service of its
// own, and may have a buffer before it. It shows what buffers add up to.
//
// All executors share the stages, as the replicas of `service`: a pipeline has one queue per stage
// under every model.
//
// Ticks of independent stages have phases of no relation, so that a request waits for half a tick
// on average at each. Phases that are all the same would be a relation: what one stage passes would
// miss the tick of the next by its service time. So the phase from each stage to the next takes the
// midpoints of equal slices of a tick, and all waits together miss their mean by half a tick at
// most, whatever the service time is. A request that follows the end of another, as in a closed
// loop and where S is measured, comes in step with the ticks: with a fixed service it takes a whole
// number of them.
#include <fmt/format.h>

#include <deque>
#include <memory>
#include <optional>

#include "models/random.hpp"
#include "workloads/cpu_work.hpp"
#include "workloads/draws.hpp"
#include "workloads/fold.hpp"
#include "workloads/parameters.hpp"
#include "workloads/permit.hpp"
#include "workloads/stage_buffer.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

struct PipelineStage {
  Gate gate;
  std::optional<StageBuffer> buffer;

  explicit PipelineStage(std::size_t servers) : gate(servers) {}
};

class Pipeline final : public Workload {
 public:
  explicit Pipeline(const Options& options)
      : count_(options.count("stages", 1, 100)),
        servers_(options.count("servers", 0, 1'000'000)),
        wait_(mean_option(options, "pipeline", "wait", true)),
        work_(mean_option(options, "pipeline", "work", true)),
        linger_(mean_option(options, "pipeline", "linger", true)),
        tick_(mean_option(options, "pipeline", "tick", true)) {
    if (linger_ > Nanos(0) && tick_ > Nanos(0))
      throw UsageError("pipeline: give either linger or tick; a stage has one buffer");
    if (stage_mean() == Nanos(0))
      throw UsageError("pipeline: wait and work are both 0; give one of them, or linger or tick");
    const Distribution dist = dist_option(options, "pipeline");
    if (wait_ > Nanos(0)) waits_.emplace(dist, wait_, 0x706970656c696e65);
    if (work_ > Nanos(0)) part_.emplace(dist, work_, 0x7374616765);
    free_ = free_draws_option(options);
  }

  void prepare(const WorkloadSetup& setup) override {
    tabulating_ = setup.tabulating;
    if (part_) part_->prepare(setup.tabulating);
    if (waits_) waits_->draw_freely(free_ && !setup.calibrating);
    stages_.clear();
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(count_); ++i) {
      PipelineStage& stage = stages_.emplace_back(servers_);
      if (linger_ > Nanos(0)) stage.buffer.emplace(StageBuffer::Kind::linger, linger_);
      if (tick_ == Nanos(0)) continue;
      const Nanos phase = tick_phase(i, static_cast<std::int64_t>(count_), tick_);
      stage.buffer.emplace(StageBuffer::Kind::tick, tick_, phase);
    }
  }

  Task<Outcome> run(Io& io, const Request& request) override {
    std::uint64_t digest = mix64(request.seed);
    for (std::size_t i = 0; i < count_; ++i) {
      PipelineStage& stage = stages_[i];
      if (stage.buffer) {
        const Time arrival = Io::now();
        const Time departure = tabulating_ ? arrival : stage.buffer->departure(arrival);
        const std::int64_t passed = co_await sleep_until(io, departure);
        if (passed < 0) co_return Outcome::failed(passed);
      }
      std::optional<Permit> permit;
      if (servers_ > 0) {
        const std::int64_t entered = co_await io.acquire(stage.gate);
        if (entered < 0) co_return Outcome::failed(entered);
        permit.emplace(stage.gate);
      }
      if (waits_) {
        const Nanos wait = tabulating_ ? Nanos(0) : waits_->of(request, i);
        const std::int64_t slept = co_await io.sleep(wait);
        if (slept < 0) co_return Outcome::failed(slept);
      }
      std::uint64_t part = i;
      if (part_) part = co_await io.compute(part_->compute(draw_of(request.seed, i)));
      digest = fold(digest, part);
    }
    co_return Outcome::ok(digest);
  }

  Nanos nominal_service() const override {
    return static_cast<std::int64_t>(count_) * stage_mean();
  }
  Nanos nominal_draw(std::uint64_t seed) const override {
    Nanos draw{0};
    for (std::size_t i = 0; i < count_; ++i) {
      draw += linger_ + tick_ / 2;
      if (waits_) draw += waits_->stratified(seed, i);
      if (part_) draw += part_->draw(draw_of(seed, i));
    }
    return draw;
  }
  Nanos nominal_cpu() const override { return static_cast<std::int64_t>(count_) * work_; }
  std::string note() const override {
    if (servers_ == 0) return "";
    return fmt::format("servers={} at each stage, common to all executors", servers_);
  }

 private:
  static IoOp sleep_until(Io& io, Time until) { return {io, IoOp::Kind::sleep, {.until = until}}; }

  /// As the waits: every stage takes each draw once over all seeds.
  static std::uint64_t draw_of(std::uint64_t seed, std::size_t stage) {
    constexpr std::uint64_t kStride = 977;
    return seed + kStride * stage;
  }

  Nanos stage_mean() const { return wait_ + work_ + linger_ + tick_ / 2; }

  std::size_t count_;
  std::size_t servers_;
  Nanos wait_, work_;  ///< means of one stage
  Nanos linger_, tick_;
  std::optional<Draws> waits_;
  bool free_ = false;
  std::optional<CpuWork> part_;
  bool tabulating_ = false;
  std::deque<PipelineStage> stages_;
};

}  // namespace

WorkloadInfo pipeline_workload() {
  return {
      .name = "pipeline",
      .summary = "stages in a row, each with servers, a service and, if wanted, a buffer",
      .control = false,
      .waits = true,
      .options = {{"stages", "5", "stages, 1 to 100"},
                  {"servers", "16",
                   "requests that a stage works on at once, 0 to 1M; 0 is any number; 16 serve "
                   "16,000 requests a second of 1ms"},
                  {"wait", "1ms",
                   "mean wait of a request at each stage, 0 to 1m; five of 1ms are the 5ms of "
                   "the other workloads"},
                  {"work", "0",
                   "mean CPU time of a request at each stage, after the wait, 0 to 1m"},
                  {"dist", "fixed", kDistHelp},
                  {"draws", "stratified", kDrawsHelp},
                  {"linger", "0",
                   "a flush timer before each stage: the first request to come waits this long, "
                   "and those that come meanwhile go on with it; 0 is none, at most 1m"},
                  {"tick", "0",
                   "in place of linger: each stage takes in what has come once a tick, which "
                   "costs half of it on average; 0 is none, at most 1m"}},
      .make = [](const Options& options) -> std::unique_ptr<Workload> {
        return std::make_unique<Pipeline>(options);
      }};
}

}  // namespace precipice
