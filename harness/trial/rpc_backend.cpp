#include "harness/trial/rpc_backend.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <functional>
#include <future>
#include <queue>
#include <thread>
#include <utility>
#include <vector>

#include "harness/trial/rpc_backend_meter.hpp"
#include "harness/trial/rpc_peer.hpp"
#include "harness/trial/wake_up_precedence.hpp"
#include "models/new_thread.hpp"
#include "models/options.hpp"
#include "models/request.hpp"
#include "workloads/descriptor.hpp"

namespace precipice {
namespace {

Time now() { return std::chrono::time_point_cast<Nanos>(Clock::now()); }

Unavailable failed(std::string_view what) {
  return Unavailable(fmt::format("rpc backend: cannot {}: {}", what, std::strerror(errno)));
}

struct Timer {
  Time due;
  std::uint32_t peer;
  std::uint32_t generation;
  friend bool operator>(const Timer& a, const Timer& b) { return a.due > b.due; }
};

Descriptor open_listener() {
  Descriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener.valid()) throw failed("open a socket");
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // The kernel cuts the backlog to net.core.somaxconn; a dropped SYN would cost a second.
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0 ||
      listen(listener.get(), 65535) != 0) {
    throw failed("listen on 127.0.0.1");
  }
  return listener;
}

}  // namespace

class Backend::Server {
 public:
  Server(const CpuSet& cpus, BackendThread thread)
      : own_thread_(thread == BackendThread::own), meter_(own_thread_) {
    listener_ = open_listener();
    epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
    stop_.reset(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    spare_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!epoll_.valid() || !stop_.valid()) throw failed("start");
    watch(listener_.get(), EPOLLIN, kListener);
    watch(stop_.get(), EPOLLIN, kStop);
    chunk_.resize(RpcPeer::kChunk);
    if (own_thread_) {
      start_thread(cpus);
    } else {
      meter_.serving_thread(pthread_self());
    }
    meter_.begin_interval();
  }

  ~Server() {
    stop();
    close_all();
  }

  void stop() noexcept {
    if (stopped_.exchange(true)) return;
    if (!own_thread_ && pthread_equal(pthread_self(), maker_)) {
      close_all();
      return;
    }
    const std::uint64_t one = 1;
    if (write(stop_.get(), &one, sizeof one) < 0) std::terminate();  // an eventfd takes it always
    if (!own_thread_) return;                                        // whoever serves it closes all
    thread_.join();
    close_all();
  }

  sockaddr_in address() const {
    sockaddr_in result{};
    socklen_t bytes = sizeof result;
    if (listener_.valid())
      getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&result), &bytes);
    return result;
  }

  void begin_interval() { meter_.begin_interval(); }
  BackendReport report() const {
    if (!stopped_) return meter_.report();
    BackendReport result;
    result.stopped = true;
    return result;
  }

  void serve_until(Time until, Nanos margin) noexcept {
    try {
      serve(until, margin);
    } catch (...) {
      // Nobody is left to wait for an answer that cannot come.
      close_all();
      meter_.died(std::current_exception());
    }
  }

 private:
  static constexpr std::uint64_t kListener = ~0ULL;
  static constexpr std::uint64_t kStop = kListener - 1;
  static constexpr int kEvents = 256;

  void watch(int fd, std::uint32_t events, std::uint64_t data) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = data;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw failed("watch a socket");
  }

  void start_thread(const CpuSet& cpus) {
    std::promise<void> starting;
    std::future<void> started = starting.get_future();
    thread_ = new_thread("rpc backend", [this, cpus, told = std::move(starting)]() mutable {
      thread_main(cpus, std::move(told));
    });
    try {
      started.get();
    } catch (...) {
      thread_.join();
      throw;
    }
    meter_.serving_thread(thread_.native_handle());
  }

  void thread_main(const CpuSet& cpus, std::promise<void> starting) {
    try {
      name_this_thread("rpc-backend");
      if (!cpus.empty()) pin_this_thread(cpus);
      remove_timer_slack();
    } catch (...) {
      starting.set_exception(std::current_exception());
      return;
    }
    starting.set_value();
    const WakeUpPrecedence precedence(WakeUpPrecedence::Kind::short_slice);
    while (running_) serve_until(Time::max(), Nanos(0));
  }

  void serve(Time until, Nanos margin) {
    Time time = now();
    bool looked = false;
    while (running_) {
      if (serve_one(until, time)) {
        time = meter_.worked(time);
        continue;
      }
      if (next_event_ < events_found_) break;  // found after `until`
      // Late arrivals that follow one another must not keep the sockets from being looked at; one
      // that is on time needs no look of its own.
      if (time >= until && (looked || !unlooked_)) break;
      looked = true;
      if (!look(until, margin, time)) break;
    }
    unlooked_ = !looked;
  }

  /// The earliest due of replies and events, if it was due before `until`. False if there is none.
  bool serve_one(Time until, Time time) {
    const bool event = next_event_ < events_found_;
    const bool reply = !timers_.empty() && timers_.top().due <= time;
    if (reply && (!event || timers_.top().due <= found_)) {
      if (timers_.top().due >= until) return false;
      answer_next();
      return true;
    }
    if (!event || found_ >= until) return false;
    heed(events_[next_event_++]);
    return true;
  }

  /// For what has happened, or until the next reply or `until` is due. False when interrupted.
  bool look(Time until, Nanos margin, Time& time) {
    const Time next = timers_.empty() ? until : std::min(until, timers_.top().due);
    const bool forever = next == Time::max();
    const Nanos left = forever ? Nanos::max() : std::max(Nanos(0), next - time - margin);
    if (margin > Nanos(0)) meter_.polls();
    // The reporting side's lock is off the path of a reply while there is more to do.
    if (left > Nanos(0) || events_found_ == 0 || meter_.unpublished() >= std::size_t{kEvents})
      meter_.publish();
    const Time begin = time;
    const int ready = wait(left);
    const bool interrupted = ready < 0 && errno == EINTR;
    time = left == Nanos(0) && ready > 0 ? meter_.worked(begin) : now();
    events_found_ = static_cast<std::size_t>(std::max(0, ready));
    next_event_ = 0;
    late_ns_ = (begin - found_).count();
    found_ = time;
    return !interrupted;
  }

  int wait(Nanos left) {
    if (left == Nanos(0)) return epoll_wait(epoll_.get(), events_.data(), kEvents, 0);
    if (left == Nanos::max()) return epoll_wait(epoll_.get(), events_.data(), kEvents, -1);
    if (fine_timeout_) {
      const timespec timeout{static_cast<time_t>(left.count() / 1'000'000'000),
                             static_cast<long>(left.count() % 1'000'000'000)};
      const int ready = epoll_pwait2(epoll_.get(), events_.data(), kEvents, &timeout, nullptr);
      if (ready >= 0 || errno != ENOSYS) return ready;
      fine_timeout_ = false;  // a kernel before 5.11
    }
    // Whole milliseconds only: the last one is polled away, else every reply would be late.
    return epoll_wait(epoll_.get(), events_.data(), kEvents,
                      static_cast<int>(std::min<std::int64_t>(left.count() / 1'000'000, 60'000)));
  }

  /// One at a time, as other things may be due; the listener reports itself again.
  void accept_one() {
    const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      admit(fd);
      return;
    }
    // Without a descriptor the client would wait for an answer that cannot come: use the spare one
    // to tell it.
    if ((errno != EMFILE && errno != ENFILE) || !spare_.valid()) return;
    spare_.reset();
    const int unwanted = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (unwanted >= 0) refuse(unwanted);
    spare_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  }

  void refuse(int fd) {
    close(fd);
    meter_.refused();
  }

  void admit(int fd) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::uint32_t index;
    if (free_.empty()) {
      index = static_cast<std::uint32_t>(peers_.size());
      peers_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    RpcPeer& peer = peers_[index];
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = static_cast<std::uint64_t>(peer.generation) << 32 | index;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      free_.push_back(index);
      refuse(fd);
      return;
    }
    peer.fd = fd;
    peer.state = RpcPeer::State::reading;
    peer.received = 0;
    meter_.open_connections(++open_);
  }

  void drop(std::uint32_t index) {
    RpcPeer& peer = peers_[index];
    close(peer.fd);
    peer.fd = -1;
    ++peer.generation;
    free_.push_back(index);
    meter_.open_connections(--open_);
  }

  void close_all() noexcept {
    listener_.reset();
    for (RpcPeer& peer : peers_) {
      if (peer.fd >= 0) close(std::exchange(peer.fd, -1));
    }
    timers_ = {};
    next_event_ = events_found_ = 0;
    meter_.open_connections(open_ = 0);
  }

  void heed(const epoll_event& event) {
    const std::uint64_t data = event.data.u64;
    if (data == kStop) {
      std::uint64_t count = 0;
      if (read(stop_.get(), &count, sizeof count) > 0) close_all();
      running_ = !own_thread_;
    } else if (data == kListener) {
      accept_one();
    } else {
      heed_peer(static_cast<std::uint32_t>(data), static_cast<std::uint32_t>(data >> 32),
                event.events);
    }
  }

  void heed_peer(std::uint32_t index, std::uint32_t generation, std::uint32_t events) {
    RpcPeer& peer = peers_[index];
    if (peer.fd < 0 || peer.generation != generation) return;
    if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) {
      drop(index);
      return;
    }
    if ((events & EPOLLIN) && !read_request(index)) {
      drop(index);
      return;
    }
    if ((events & EPOLLOUT) && std::exchange(peer.blocked, false))
      timers_.push({found_, index, generation});
  }

  /// False when the client has left or does not keep to the protocol.
  bool read_request(std::uint32_t index) {
    RpcPeer& peer = peers_[index];
    const RpcPeer::Received received = peer.receive();
    if (received == RpcPeer::Received::request) {
      peer.late_ns = late_ns_;
      timers_.push({found_ + Nanos(static_cast<std::int64_t>(peer.request.delay_ns)), index,
                    peer.generation});
    }
    return received != RpcPeer::Received::end;
  }

  void answer_next() {
    const Timer timer = timers_.top();
    timers_.pop();
    RpcPeer& peer = peers_[timer.peer];
    if (peer.fd < 0 || peer.generation != timer.generation) return;
    const RpcPeer::Sent sent = peer.send_piece(chunk_);
    if (sent == RpcPeer::Sent::end) {
      drop(timer.peer);
    } else if (sent == RpcPeer::Sent::part) {
      timers_.push(timer);
    } else if (!std::exchange(peer.lag_recorded, true)) {
      meter_.answered((now() - timer.due).count() + peer.late_ns);
    }
  }

  Descriptor listener_, epoll_, stop_, spare_;
  const bool own_thread_;
  const pthread_t maker_ = pthread_self();
  BackendMeter meter_;
  std::thread thread_;
  std::atomic<bool> stopped_{false};

  // The serving thread's own.
  bool running_ = true;
  std::vector<RpcPeer> peers_;
  std::vector<std::uint32_t> free_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::vector<std::byte> chunk_;
  std::array<epoll_event, kEvents> events_;
  std::size_t next_event_ = 0, events_found_ = 0;
  Time found_ = now();        ///< when the last look ended
  std::int64_t late_ns_ = 0;  ///< from the look before it to the beginning of that
  bool unlooked_ = false;     ///< no look since the arrival before
  std::uint64_t open_ = 0;
  bool fine_timeout_ = true;
};

Backend::Backend(const CpuSet& cpus, BackendThread thread)
    : server_(std::make_unique<Server>(cpus, thread)) {}
Backend::~Backend() = default;
void Backend::serve_until(Time until, Nanos margin) noexcept {
  server_->serve_until(until, margin);
}
sockaddr_in Backend::address() const { return server_->address(); }
void Backend::begin_interval() { server_->begin_interval(); }
BackendReport Backend::report() const { return server_->report(); }
void Backend::stop() noexcept { server_->stop(); }

}  // namespace precipice
