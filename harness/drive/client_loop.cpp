// The order of a pass: take what the poll shows (stamped once, before any of it is parsed), send
// everything that is due between one connection and the next, then wait. A request goes out right
// behind the response that freed its connection, without a further call to epoll.
#include "harness/drive/client_loop.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "harness/drive/client_connection.hpp"
#include "harness/host/cpu_clock.hpp"
#include "harness/trial/arrivals.hpp"
#include "harness/trial/resource_usage.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

// However far the next arrival is: see generator.cpp.
constexpr std::int64_t kLookNs = 100'000'000;
constexpr std::size_t kMostEvents = 512;
// Of how much a request may be late beyond its timeout, a share of that.
constexpr std::int64_t kTimeoutParts = 50;

}  // namespace

ClientLoop::ClientLoop(const ClientSettings& settings, const Share& share, RequestText text,
                       RequestText last_text)
    : settings_(settings),
      share_(share),
      text_(std::move(text)),
      last_text_(std::move(last_text)),
      connections_(std::make_unique<Connection[]>(share.connections)),
      events_(kMostEvents),
      buffer_(std::size_t{64} << 10),
      next_(share.first) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0)
    throw Unavailable(fmt::format("the client gets no epoll: {}", std::strerror(errno)));
  for (std::uint32_t i = 0; i < share_.connections; ++i) connections_[i].index = i;
}

ClientLoop::~ClientLoop() {
  if (epoll_ >= 0) ::close(epoll_);
}

bool ClientLoop::stopped() const {
  return settings_.stop != nullptr && settings_.stop->load(std::memory_order_relaxed);
}

bool ClientLoop::spent(const Connection& connection) const {
  return settings_.requests_per_connection > 0 &&
         connection.requests >= settings_.requests_per_connection;
}

double ClientLoop::inside(std::int64_t from_ns, std::int64_t to_ns) const {
  const std::int64_t overlap =
      std::min(to_ns, settings_.end_ns) - std::max(from_ns, settings_.window_begin_ns);
  return static_cast<double>(std::max<std::int64_t>(0, overlap));
}

void ClientLoop::count_busy(std::int64_t from_ns, std::int64_t to_ns) {
  report_.busy_ns += inside(from_ns, to_ns);
}

std::int64_t ClientLoop::next_arrival() const {
  if (open_loop())
    return next_ < settings_.intended_ns.size() ? settings_.intended_ns[next_] : INT64_MAX;
  if (exhausted_ || now_ >= settings_.end_ns) return INT64_MAX;
  if (ready_lanes_ > 0) return std::max<std::int64_t>(0, paced_until_ns_);
  return thinking_.empty() ? INT64_MAX : thinking_.top();
}

void ClientLoop::offer_due() {
  if (next_arrival() > now_) return;
  if (open_loop()) {
    while (next_ < settings_.intended_ns.size() && settings_.intended_ns[next_] <= now_) {
      issue(next_);
      next_ += share_.stride;
      now_ = clock();
    }
  } else {
    for (; !thinking_.empty() && thinking_.top() <= now_; thinking_.pop()) ++ready_lanes_;
    while (ready_lanes_ > 0 && next_arrival() <= now_) {
      const std::size_t id = settings_.next_id->fetch_add(1, std::memory_order_relaxed);
      exhausted_ = id >= settings_.slots->size();
      if (exhausted_) break;
      --ready_lanes_;
      paced_until_ns_ = now_ + settings_.least_gap_ns;
      issue(id);
      now_ = clock();
    }
  }
}

void ClientLoop::issue(std::size_t id) {
  settings_.slots->sent(id).dispatch_ns = now_;
  entrance_->enter(now_);
  ++outstanding_;
  waiting_.push_back(id);
  serve_waiting();
}

void ClientLoop::serve_waiting() {
  while (!waiting_.empty() && !free_.empty()) {
    Connection& connection = connections_[free_.front()];
    const std::size_t id = waiting_.front();
    free_.pop_front();
    connection.free = false;
    waiting_.pop_front();
    put_on(connection, id);
  }
  note_free();
}

void ClientLoop::put_on(Connection& connection, std::size_t id) {
  connection.id = id;
  connection.has_request = true;
  const std::uint32_t seed = request_seed(settings_.seed, id);
  connection.parser.begin(text_.is_head(), settings_.answers != nullptr
                                               ? &(*settings_.answers)[seed]
                                               : settings_.expected);
  (*settings_.slots)[id].begin_ns = clock();
  ++connection.requests;
  if (settings_.connection_per_request)
    connect(connection);
  else
    send(connection, (spent(connection) ? last_text_ : text_).of(seed));
}

void ClientLoop::on_ready(Connection& connection, std::int64_t at_ns) {
  using State = Connection::State;
  if (connection.state == State::connecting) {
    const int result = connection.wire.proceed();
    if (result == 0)
      connected(connection);
    else if (result == -EAGAIN)
      watch(connection, connection.wire.wants_write());
    else
      connect_failed(connection, -result);
    return;
  }
  if (!connection.unsent.empty()) send_rest(connection);
  if (connection.state == State::made) on_bytes(connection, at_ns);
}

void ClientLoop::on_bytes(Connection& connection, std::int64_t at_ns) {
  const bool tls = connection.wire.under_tls();
  for (;;) {
    const ssize_t received = connection.wire.receive(buffer_.data(), buffer_.size());
    if (received == -EAGAIN) return;
    // What comes without a request is an answer to none, and the end of the connection.
    if (!connection.has_request) return close(connection);
    if (received < 0) {
      const bool broken = tls && received == -EPROTO;
      return request_failed(connection, at_ns, broken ? FailureKind::tls : FailureKind::reset,
                            static_cast<int>(-received));
    }
    ResponseParser& parser = connection.parser;
    const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(received));
    std::size_t taken = 0;
    if (received == 0)
      parser.end_of_stream();
    else
      taken = parser.take(bytes);
    if (parser.done()) return answered(connection, at_ns, taken < bytes.size());
    if (parser.failed())
      return request_failed(connection, at_ns,
                            received == 0 ? FailureKind::closed : FailureKind::protocol);
    // Of a socket the poll tells of the rest; what TLS has read ahead it does not know of.
    if (!tls && bytes.size() < buffer_.size()) return;
  }
}

void ClientLoop::answered(Connection& connection, std::int64_t at_ns, bool more_bytes) {
  const ResponseParser& parser = connection.parser;
  const std::size_t id = connection.id;
  const bool usable = parser.keeps_alive() && !more_bytes && connection.unsent.empty() &&
                      !settings_.connection_per_request && !spent(connection);
  const int status = parser.status();
  const bool right = parser.body().right();
  connection.has_request = false;
  if (usable)
    set_free(connection);
  else
    close(connection);
  if (status == 503 || status == 429) {
    settings_.slots->refuse(id, at_ns, status == 503 ? Refusal::limit : Refusal::policy);
    ++tally_.shed;
    ended(at_ns);
  } else if (status >= 600) {
    fail(id, at_ns, FailureKind::protocol);
  } else if (status >= 500) {
    fail(id, at_ns, FailureKind::status_5xx);
  } else if (status >= 400) {
    fail(id, at_ns, FailureKind::status_4xx);
  } else if (status >= 300 && status != 304) {
    fail(id, at_ns, FailureKind::status_3xx);
  } else if (!right) {
    fail(id, at_ns, FailureKind::wrong_answer);
  } else {
    settings_.slots->complete(id, at_ns, Outcome::ok(0));
    if (settings_.progress != nullptr) {
      tally_.responses.record(at_ns - (open_loop() ? settings_.intended_ns[id]
                                                   : settings_.slots->sent(id).dispatch_ns));
    }
    ++tally_.completed;
    ended(at_ns);
  }
}

void ClientLoop::request_failed(Connection& connection, std::int64_t at_ns, FailureKind kind,
                                int error) {
  connection.has_request = false;
  close(connection);
  fail(connection.id, at_ns, kind, error);
}

void ClientLoop::fail(std::size_t id, std::int64_t at_ns, FailureKind kind, int error) {
  settings_.slots->complete(id, at_ns, failure(kind, error));
  ++tally_.failed[static_cast<std::size_t>(kind)];
  ended(at_ns);
}

void ClientLoop::ended(std::int64_t at_ns) {
  settings_.in_flight->leave(at_ns);
  --outstanding_;
  if (settings_.progress != nullptr) tally_to(at_ns);
  if (open_loop()) return;
  if (settings_.think > Nanos(0))
    thinking_.push(at_ns + settings_.think.count());
  else
    ++ready_lanes_;
}

void ClientLoop::tally_to(std::int64_t at_ns) {
  const int second = static_cast<int>(at_ns / 1'000'000'000);
  for (; second_ < second; ++second_) {
    settings_.progress->hand_over(second_, tally_);
    tally_ = {};
  }
}

std::int64_t ClientLoop::next_event() const {
  std::int64_t next = std::min(now_ + kLookNs, settings_.deadline_ns);
  if (now_ < settings_.window_begin_ns) next = std::min(next, settings_.window_begin_ns);
  if (now_ < settings_.end_ns) next = std::min(next, settings_.end_ns);
  if (!retries_.empty()) next = std::min(next, retries_.top().first);
  if (outstanding_ > 0) next = std::min(next, look_at_ns_);
  return next;
}

int ClientLoop::wait(bool spin) {
  const std::int64_t arrival = next_arrival();
  const std::int64_t wake =
      arrival == INT64_MAX ? INT64_MAX : arrival - (spin ? settings_.margin.count() : 0);
  const std::int64_t left = std::max<std::int64_t>(0, std::min(next_event(), wake) - now_);
  const auto most = static_cast<int>(events_.size());
  slept_ = left > 0;
  if (!slept_) return epoll_wait(epoll_, events_.data(), most, 0);
  if (precise_wait_) {
    const timespec time{left / 1'000'000'000, left % 1'000'000'000};
    const int ready = epoll_pwait2(epoll_, events_.data(), most, &time, nullptr);
    if (ready >= 0 || errno != ENOSYS) return ready;
    precise_wait_ = false;
  }
  return epoll_wait(epoll_, events_.data(), most, static_cast<int>(left / 1'000'000));
}

void ClientLoop::handle(int events, std::int64_t at_ns) {
  for (int i = 0; i < events; ++i) {
    on_ready(connections_[events_[static_cast<std::size_t>(i)].data.u32], at_ns);
    if (!waiting_.empty()) serve_waiting();
    now_ = clock();
    offer_due();  // a batch must not hold up what is due meanwhile
  }
}

void ClientLoop::keep_house() {
  mark_window();
  if (now_ >= look_at_ns_) give_up_late_ones();
  while (!retries_.empty() && retries_.top().first <= now_) {
    const std::uint32_t index = retries_.top().second;
    retries_.pop();
    connect(connections_[index]);
  }
  serve_waiting();
  if (settings_.progress != nullptr && now_ > 0) tally_to(now_);
}

void ClientLoop::give_up_late_ones() {
  const std::int64_t timeout = settings_.timeout.count();
  const auto late = [&](std::size_t id) {
    return now_ - settings_.slots->sent(id).dispatch_ns >= timeout;
  };
  for (; !waiting_.empty() && late(waiting_.front()); waiting_.pop_front())
    fail(waiting_.front(), now_, FailureKind::timeout);
  for (std::uint32_t i = 0; i < share_.connections; ++i) {
    Connection& each = connections_[i];
    if (each.has_request && late(each.id))
      request_failed(each, now_, FailureKind::timeout);
    else if (each.state == Connection::State::connecting && !each.has_request &&
             now_ - each.since_ns >= timeout)
      connect_failed(each, ETIMEDOUT);
  }
  look_at_ns_ = now_ + std::clamp<std::int64_t>(timeout / kTimeoutParts, 1'000'000, kLookNs);
}

void ClientLoop::mark_window() {
  if (!cpu_at_begin_ns_ && now_ >= settings_.window_begin_ns)
    cpu_at_begin_ns_ = cpu_clock_ns(CLOCK_THREAD_CPUTIME_ID);
  if (!cpu_at_end_ns_ && now_ >= settings_.end_ns)
    cpu_at_end_ns_ = cpu_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

bool ClientLoop::finished() const {
  if (stopped() || now_ >= settings_.deadline_ns) return true;
  return outstanding_ == 0 && now_ >= settings_.end_ns && next_arrival() == INT64_MAX;
}

void ClientLoop::cancel_all() {
  const auto cancel = [&](std::size_t id) {
    settings_.slots->complete(id, now_, Outcome::failed(ECANCELED));
    settings_.in_flight->leave(now_);
    --outstanding_;
  };
  for (const std::size_t id : waiting_) cancel(id);
  waiting_.clear();
  for (std::uint32_t i = 0; i < share_.connections; ++i) {
    Connection& each = connections_[i];
    if (each.has_request) cancel(each.id);
    each.has_request = false;
    each.wire.close();
  }
}

ClientReport ClientLoop::run(Time epoch) {
  epoch_ns_ = epoch.time_since_epoch().count();
  running_ = true;
  ready_lanes_ = share_.lanes;
  const ResourceUsage before = ResourceUsage::now();
  {
    InFlightIntegral::Entrance entrance(*settings_.in_flight);
    entrance_ = &entrance;
    now_ = clock();
    note_free();
    for (;;) {
      const std::int64_t before_offer = now_;
      offer_due();
      count_busy(before_offer, now_);
      keep_house();
      if (finished()) break;
      const std::int64_t before_wait = now_;
      const int ready = wait(settings_.spin && open_loop());
      const std::int64_t after_wait = clock();
      now_ = after_wait;
      if (ready <= 0) continue;
      handle(ready, after_wait);
      // A poll that found something at once is work too; a sleep is not.
      count_busy(slept_ ? after_wait : before_wait, now_);
    }
    cancel_all();
  }
  if (none_free_since_ns_ >= 0) report_.all_busy_ns += inside(none_free_since_ns_, now_);
  mark_window();
  const ResourceUsage after = ResourceUsage::now();
  report_.cpu_ns = cpu_at_begin_ns_ && cpu_at_end_ns_ ? *cpu_at_end_ns_ - *cpu_at_begin_ns_ : 0;
  report_.all_cpu_ns = after.thread_cpu_ns - before.thread_cpu_ns;
  report_.switches = after.thread_switches - before.thread_switches;
  if (settings_.progress != nullptr) settings_.progress->hand_over(second_, tally_);
  return report_;
}

}  // namespace precipice
