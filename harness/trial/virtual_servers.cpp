#include "harness/trial/virtual_servers.hpp"

#include <algorithm>
#include <cstddef>

#include "models/no_io.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

/// The simulated job awaits its service only.
Io& no_io() {
  static NoIo io;
  return io;
}

}  // namespace

VirtualServers::VirtualServers(const OracleSettings& settings, const Stall& stall,
                               VirtualTimeline& timeline)
    : settings_(settings),
      stall_(stall),
      timeline_(timeline),
      servers_(settings.servers),
      sharing_(settings.servers) {
  for (Server& server : servers_) {
    server.all = this;
    idle_.push_back(&server);
  }
}

Refusal VirtualServers::submit(const Request& request) noexcept {
  const std::uint64_t most = settings_.capacity > 0
                                 ? std::min(settings_.capacity, settings_.in_flight_limit)
                                 : settings_.in_flight_limit;
  if (inside_ >= most) return Refusal::limit;
  ++inside_;
  if (splits()) {
    Server& server = servers_[server_of(request)];
    server.queue.push_back(request);
    may_start_.push_back(&server);
  } else {
    queue_.push_back(request);
  }
  start_waiting();
  return Refusal::none;
}

/// The one that a policy has chosen; else a further attempt meets another than the first one.
std::size_t VirtualServers::server_of(const Request& request) const {
  if (request.replica > 0) return (request.replica - 1U) % servers_.size();
  const unsigned first = settings_.server_of(request.id, request.seed);
  const std::size_t others = servers_.size() - 1;
  if (request.attempt == 0 || others == 0) return first;
  const std::uint64_t draw = mix64(mix64(request.id) + request.attempt);
  return (first + 1 + draw % others) % servers_.size();
}

void VirtualServers::start_waiting() {
  if (starting_) return;
  starting_ = true;
  if (splits()) {
    while (!may_start_.empty()) {
      Server& server = *may_start_.back();
      may_start_.pop_back();
      if (server.busy || server.queue.empty()) continue;
      const Request request = server.queue.front();
      server.queue.pop_front();
      server.busy = true;
      execute_on(server, request);
    }
  } else {
    while (!queue_.empty() && (shares() || !idle_.empty())) {
      const Request request = queue_.front();
      queue_.pop_front();
      Server* server = &servers_.front();
      if (!shares()) {
        server = idle_.back();
        idle_.pop_back();
      }
      execute_on(*server, request);
    }
  }
  starting_ = false;
}

void VirtualServers::execute_on(Server& server, const Request& request) {
  executing_.step(timeline_.now_ns(), +1);
  execute(job_, no_io(), request, &VirtualServers::left, &server);
}

void VirtualServers::left(void* server) noexcept {
  auto& own = *static_cast<Server*>(server);
  VirtualServers& all = *own.all;
  --all.inside_;
  all.executing_.step(all.timeline_.now_ns(), -1);
  own.busy = false;
  if (all.splits()) {
    all.may_start_.push_back(&own);
  } else if (!all.shares()) {
    all.idle_.push_back(&own);
  }
  all.start_waiting();
}

void VirtualServers::serve(double work_ns, std::coroutine_handle<> waiting) {
  const double now = stall_.work_time(timeline_.now_ns());
  if (shares()) {
    sharing_.arrive(now, reinterpret_cast<std::size_t>(waiting.address()), work_ns);
    expect_next_end();
    return;
  }
  timeline_.schedule(stall_.end_time(now + work_ns),
                     {&VirtualServers::resume, waiting.address(), 0});
}

void VirtualServers::resume(void* waiting, std::uint64_t) noexcept {
  std::coroutine_handle<>::from_address(waiting).resume();
}

void VirtualServers::expect_next_end() {
  ++round_;
  if (sharing_.size() == 0) return;
  timeline_.schedule(stall_.end_time(sharing_.next_end()), {&VirtualServers::share, this, round_});
}

void VirtualServers::share(void* self, std::uint64_t round) noexcept {
  auto& all = *static_cast<VirtualServers*>(self);
  if (round != all.round_) return;
  const std::size_t ended = all.sharing_.end(all.sharing_.next_end());
  all.expect_next_end();
  resume(reinterpret_cast<void*>(ended), 0);
}

}  // namespace precipice
