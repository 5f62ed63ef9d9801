// The client's connections: how they are made, written to, lost and made again.
#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "harness/drive/client_connection.hpp"
#include "harness/drive/client_loop.hpp"
#include "harness/trial/arrivals.hpp"
#include "harness/trial/interrupt.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

// A server that accepts one after another is not met by all at once, and its queue not filled.
constexpr std::uint32_t kAtOnce = 32;
// Between attempts at a connection that fails: a server that restarts is found soon, and one that
// is gone is not asked more often than a slow client would.
constexpr std::int64_t kRetryNs = 10'000'000;

}  // namespace

void ClientLoop::watch(Connection& connection, bool write) {
  if (connection.watched && connection.writes == write) return;
  epoll_event event{};
  event.events = EPOLLIN | (write ? EPOLLOUT : 0U);
  event.data.u32 = connection.index;
  epoll_ctl(epoll_, connection.watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
            connection.wire.descriptor(), &event);
  connection.watched = true;
  connection.writes = write;
}

void ClientLoop::connect(Connection& connection) {
  connection.state = Connection::State::connecting;
  connection.since_ns = now_;
  const int result = connection.wire.open(*settings_.endpoint, settings_.tls);
  if (result == 0)
    connected(connection);
  else if (result == -EAGAIN)
    watch(connection, connection.wire.wants_write());
  else
    connect_failed(connection, -result);
}

void ClientLoop::connected(Connection& connection) {
  if (running_) ++report_.connects;
  connection.state = Connection::State::made;
  watch(connection, false);
  if (connection.has_request)
    send(connection, text_.of(request_seed(settings_.seed, connection.id)));
  else
    set_free(connection);
}

void ClientLoop::connect_failed(Connection& connection, int error) {
  ++report_.failed_connects;
  const FailureKind kind = connection.wire.connected() ? FailureKind::tls : FailureKind::connect;
  connect_problem_ = connection.wire.problem();
  if (connect_problem_.empty()) connect_problem_ = std::strerror(error);
  if (connection.has_request) return request_failed(connection, clock(), kind, error);
  connection.wire.close();
  connection.watched = connection.writes = false;
  connection.state = Connection::State::down;
  retries_.emplace(now_ + kRetryNs, connection.index);
  // Who waits for a connection learns that there is none, instead of waiting for its timeout.
  if (waiting_.empty()) return;
  const std::size_t id = waiting_.front();
  waiting_.pop_front();
  fail(id, clock(), kind, error);
}

void ClientLoop::send(Connection& connection, std::string_view bytes) {
  const std::optional<std::size_t> taken = offer(connection, bytes);
  if (taken && *taken < bytes.size()) connection.unsent.assign(bytes.substr(*taken));
}

void ClientLoop::send_rest(Connection& connection) {
  const std::string_view rest = std::string_view(connection.unsent).substr(connection.unsent_from);
  const std::optional<std::size_t> taken = offer(connection, rest);
  if (!taken) return;
  connection.unsent_from += *taken;
  if (connection.unsent_from < connection.unsent.size()) return;
  connection.unsent.clear();
  connection.unsent_from = 0;
}

// How much the socket took; nothing where the request failed of it.
std::optional<std::size_t> ClientLoop::offer(Connection& connection, std::string_view bytes) {
  const ssize_t sent = connection.wire.send(bytes.data(), bytes.size());
  if (sent == static_cast<ssize_t>(bytes.size())) {
    if (connection.writes) watch(connection, false);
    return bytes.size();
  }
  if (sent < 0 && sent != -EAGAIN) {
    const bool tls = sent == -EPROTO && connection.wire.under_tls();
    request_failed(connection, clock(), tls ? FailureKind::tls : FailureKind::reset,
                   static_cast<int>(-sent));
    return std::nullopt;
  }
  ++report_.partial_sends;
  watch(connection, true);
  return static_cast<std::size_t>(std::max<ssize_t>(0, sent));
}

void ClientLoop::close(Connection& connection) {
  if (connection.free) std::erase(free_, connection.index);
  connection.free = false;
  if (!running_) connect_problem_ = "the server closed one that was idle";
  connection.wire.close();
  connection.watched = connection.writes = false;
  connection.unsent.clear();
  connection.unsent_from = 0;
  connection.requests = 0;
  connection.state = Connection::State::down;
  if (settings_.connection_per_request)
    set_free(connection);
  else
    retries_.emplace(now_, connection.index);
}

void ClientLoop::set_free(Connection& connection) {
  connection.free = true;
  free_.push_back(connection.index);
  note_free();
}

void ClientLoop::note_free() {
  if (free_.empty() == (none_free_since_ns_ >= 0)) return;
  if (free_.empty()) {
    none_free_since_ns_ = std::max<std::int64_t>(0, now_);
  } else {
    report_.all_busy_ns += inside(none_free_since_ns_, now_);
    none_free_since_ns_ = -1;
  }
}

void ClientLoop::open() {
  const std::int64_t begun = now_ = clock();
  const std::int64_t give_up = begun + settings_.timeout.count();
  const std::uint32_t wanted = settings_.connection_per_request ? 1 : share_.connections;
  std::uint32_t begun_count = 0;
  while (free_.size() < wanted) {
    while (begun_count < wanted && begun_count < free_.size() + kAtOnce)
      connect(connections_[begun_count++]);
    if (report_.failed_connects > 0 || stopped() || now_ > give_up) break;
    constexpr int kLookMs = 50;
    const int ready = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), kLookMs);
    now_ = clock();
    for (int i = 0; i < ready; ++i)
      on_ready(connections_[events_[static_cast<std::size_t>(i)].data.u32], now_);
  }
  if (stopped()) throw Interrupted("interrupted while connections were made");
  if (free_.size() < wanted) {
    const std::string why = connect_problem_.empty() ? "no answer in time" : connect_problem_;
    throw Unavailable(fmt::format("{} of {} connections to {} could be made: {}", free_.size(),
                                  wanted, settings_.endpoint->text, why));
  }
  if (settings_.connection_per_request) {
    free_.clear();
    none_free_since_ns_ = -1;
    Connection& probe = connections_[0];
    probe.wire.close();
    probe.watched = probe.writes = false;
    probe.state = Connection::State::down;
    for (std::uint32_t i = 0; i < share_.connections; ++i) set_free(connections_[i]);
  }
  none_free_since_ns_ = -1;
  report_ = {};
}

}  // namespace precipice
