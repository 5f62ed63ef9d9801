#include "harness/trial/virtual_stages.hpp"

#include <algorithm>

#include "models/no_io.hpp"

namespace precipice {
namespace {

/// The simulated job awaits its stages only.
Io& io_of_stages() {
  static NoIo io;
  return io;
}

}  // namespace

VirtualStages::VirtualStages(const OracleSettings& settings, const Stall& stall,
                             VirtualTimeline& timeline)
    : settings_(settings), stall_(stall), timeline_(timeline) {
  for (unsigned i = 0; i < settings.stages; ++i) {
    Stage& stage = *stages_.emplace_back(std::make_unique<Stage>());
    stage.all = this;
    stage.idle = settings.servers;
    if (settings.linger > Nanos(0))
      stage.buffer.emplace(StageBuffer::Kind::linger, settings.linger);
    if (settings.tick > Nanos(0)) {
      stage.buffer.emplace(StageBuffer::Kind::tick, settings.tick,
                           tick_phase(i, settings.stages, settings.tick));
    }
  }
}

Refusal VirtualStages::submit(const Request& request) noexcept {
  const std::uint64_t most = settings_.capacity > 0
                                 ? std::min(settings_.capacity, settings_.in_flight_limit)
                                 : settings_.in_flight_limit;
  if (in_flight() >= most) return Refusal::limit;
  executing_.step(timeline_.now_ns(), +1);
  execute(
      job_, io_of_stages(), request,
      [](void* self) {
        auto& all = *static_cast<VirtualStages*>(self);
        all.executing_.step(all.timeline_.now_ns(), -1);
      },
      this);
  return Refusal::none;
}

void VirtualStages::enter(unsigned number, std::coroutine_handle<> who, double work_ns) {
  Stage& stage = *stages_[number];
  if (!stage.buffer) {
    serve(stage, {who, work_ns});
    return;
  }
  stage.buffered.push_back({who, work_ns});
  timeline_.at(stage.buffer->departure(timeline_.now()),
               {&VirtualStages::passed_buffer, &stage, 0});
}

void VirtualStages::passed_buffer(void* stage, std::uint64_t) noexcept {
  auto& own = *static_cast<Stage*>(stage);
  const Waiting first = own.buffered.front();
  own.buffered.pop_front();
  own.all->serve(own, first);
}

void VirtualStages::serve(Stage& stage, const Waiting& waiting) {
  if (stage.idle == 0) {
    stage.queue.push_back(waiting);
    return;
  }
  --stage.idle;
  const double now = stall_.work_time(timeline_.now_ns());
  timeline_.schedule(
      stall_.end_time(now + waiting.work_ns),
      {&VirtualStages::served, &stage, reinterpret_cast<std::uintptr_t>(waiting.who.address())});
}

void VirtualStages::served(void* stage, std::uint64_t who) noexcept {
  auto& own = *static_cast<Stage*>(stage);
  ++own.idle;
  if (!own.queue.empty()) {
    const Waiting next = own.queue.front();
    own.queue.pop_front();
    own.all->serve(own, next);
  }
  std::coroutine_handle<>::from_address(reinterpret_cast<void*>(who)).resume();
}

}  // namespace precipice
