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
#include <cerrno>
#include <cstring>
#include <ctime>
#include <exception>
#include <functional>
#include <future>
#include <mutex>
#include <queue>
#include <thread>
#include <utility>
#include <vector>

#include "harness/stats/histogram.hpp"
#include "harness/trial/rpc_peer.hpp"
#include "harness/trial/short_time_slice.hpp"
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
  explicit Server(const CpuSet& cpus) {
    listener_ = open_listener();
    epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
    stop_.reset(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    spare_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!epoll_.valid() || !stop_.valid()) throw failed("start");
    watch(listener_.get(), EPOLLIN, kListener);
    watch(stop_.get(), EPOLLIN, kStop);
    chunk_.resize(RpcPeer::kChunk);
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
    begin_interval();
  }

  ~Server() {
    const std::uint64_t one = 1;
    if (write(stop_.get(), &one, sizeof one) < 0) std::terminate();  // an eventfd takes it always
    thread_.join();
    for (const RpcPeer& peer : peers_) {
      if (peer.fd >= 0) close(peer.fd);
    }
  }

  sockaddr_in address() const {
    sockaddr_in result{};
    socklen_t bytes = sizeof result;
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&result), &bytes);
    return result;
  }

  void begin_interval() {
    const std::lock_guard lock(mutex_);
    lags_ = Histogram();
    refused_ = 0;
    interval_begin_ = now();
    cpu_begin_ = cpu_time();
  }

  BackendReport report() const {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    BackendReport result;
    result.requests = lags_.count();
    if (lags_.count() > 0) {
      result.lag_p50_ns = lags_.percentile(50);
      result.lag_p99_ns = lags_.percentile(99);
      result.lag_max_ns = lags_.max();
    }
    const auto wall = static_cast<double>((now() - interval_begin_).count());
    const auto cpu = static_cast<double>((cpu_time() - cpu_begin_).count());
    result.busy = wall > 0 ? std::min(1.0, cpu / wall) : 0;
    result.cpu_ns = cpu;
    result.connections = connections_;
    result.refused = refused_;
    return result;
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

  /// Of the serving thread, from any thread.
  Nanos cpu_time() const {
    clockid_t clock{};
    timespec time{};
    if (pthread_getcpuclockid(const_cast<std::thread&>(thread_).native_handle(), &clock) != 0 ||
        clock_gettime(clock, &time) != 0) {
      return Nanos(0);
    }
    return std::chrono::seconds(time.tv_sec) + Nanos(time.tv_nsec);
  }

  void thread_main(const CpuSet& cpus, std::promise<void> starting) {
    try {
      name_this_thread("rpc-backend");
      if (!cpus.empty()) pin_this_thread(cpus);
      const ShortSlices slices;
      remove_timer_slack();
    } catch (...) {
      starting.set_exception(std::current_exception());
      return;
    }
    starting.set_value();
    try {
      serve();
    } catch (...) {
      // Nobody is left to wait for an answer that cannot come.
      listener_.reset();
      for (RpcPeer& peer : peers_) {
        if (peer.fd >= 0) close(std::exchange(peer.fd, -1));
      }
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
    }
  }

  void serve() {
    std::array<epoll_event, kEvents> events;
    for (bool running = true; running;) {
      const int ready = wait(events);
      for (int i = 0; i < ready; ++i) {
        const std::uint64_t data = events[static_cast<std::size_t>(i)].data.u64;
        if (data == kStop) {
          running = false;
        } else if (data == kListener) {
          accept_all();
        } else {
          heed(static_cast<std::uint32_t>(data), static_cast<std::uint32_t>(data >> 32),
               events[static_cast<std::size_t>(i)].events);
        }
        answer_due();
      }
      answer_due();
      publish();
    }
  }

  /// Until something happens or the next reply is due.
  int wait(std::array<epoll_event, kEvents>& events) {
    if (timers_.empty()) return epoll_wait(epoll_.get(), events.data(), kEvents, -1);
    const Nanos left = std::max(Nanos(0), timers_.top().due - now());
    if (fine_timeout_) {
      const timespec timeout{static_cast<time_t>(left.count() / 1'000'000'000),
                             static_cast<long>(left.count() % 1'000'000'000)};
      const int ready = epoll_pwait2(epoll_.get(), events.data(), kEvents, &timeout, nullptr);
      if (ready >= 0 || errno != ENOSYS) return ready;
      fine_timeout_ = false;  // a kernel before 5.11
    }
    // Whole milliseconds only: the last one is polled away, else every reply would be late.
    return epoll_wait(epoll_.get(), events.data(), kEvents,
                      static_cast<int>(std::min<std::int64_t>(left.count() / 1'000'000, 60'000)));
  }

  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        admit(fd);
        continue;
      }
      if (errno == EINTR || errno == ECONNABORTED) continue;
      // Without a descriptor the client would wait for an answer that cannot come: use the spare
      // one to tell it.
      if ((errno == EMFILE || errno == ENFILE) && spare_.valid()) {
        spare_.reset();
        const int unwanted = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (unwanted >= 0) refuse(unwanted);
        spare_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (unwanted >= 0) continue;
      }
      return;
    }
  }

  void refuse(int fd) {
    close(fd);
    ++refused_now_;
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
    ++open_;
  }

  void drop(std::uint32_t index) {
    RpcPeer& peer = peers_[index];
    close(peer.fd);
    peer.fd = -1;
    ++peer.generation;
    free_.push_back(index);
    --open_;
  }

  void heed(std::uint32_t index, std::uint32_t generation, std::uint32_t events) {
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
    if ((events & EPOLLOUT) && peer.state == RpcPeer::State::sending && !peer.send_reply(chunk_)) {
      drop(index);
    }
  }

  /// False when the client has left or does not keep to the protocol.
  bool read_request(std::uint32_t index) {
    RpcPeer& peer = peers_[index];
    const RpcPeer::Received received = peer.receive();
    if (received == RpcPeer::Received::request) {
      timers_.push({now() + Nanos(static_cast<std::int64_t>(peer.request.delay_ns)), index,
                    peer.generation});
    }
    return received != RpcPeer::Received::end;
  }

  void answer_due() {
    while (!timers_.empty()) {
      const Timer timer = timers_.top();
      const Time at = now();
      if (timer.due > at) return;
      timers_.pop();
      RpcPeer& peer = peers_[timer.peer];
      if (peer.fd < 0 || peer.generation != timer.generation) continue;
      peer.state = RpcPeer::State::sending;
      if (!peer.send_reply(chunk_)) {
        drop(timer.peer);
        continue;
      }
      lags_now_.push_back((now() - timer.due).count());
    }
  }

  /// Once per wake-up, so that the reporting side's lock is off the path of a reply.
  void publish() {
    if (lags_now_.empty() && refused_now_ == 0 && open_ == open_published_) return;
    const std::lock_guard lock(mutex_);
    for (const std::int64_t lag : lags_now_) lags_.record(lag);
    lags_now_.clear();
    refused_ += std::exchange(refused_now_, 0);
    connections_ = open_published_ = open_;
  }

  Descriptor listener_, epoll_, stop_, spare_;
  std::thread thread_;

  // The serving thread's own.
  std::vector<RpcPeer> peers_;
  std::vector<std::uint32_t> free_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::vector<std::byte> chunk_;
  std::vector<std::int64_t> lags_now_;
  std::uint64_t refused_now_ = 0, open_ = 0, open_published_ = 0;
  bool fine_timeout_ = true;

  mutable std::mutex mutex_;  // guards what follows
  Histogram lags_;
  std::uint64_t refused_ = 0;
  std::uint64_t connections_ = 0;
  std::exception_ptr failure_;  ///< what it died of: no memory
  Time interval_begin_{};
  Nanos cpu_begin_{0};
};

Backend::Backend(const CpuSet& cpus) : server_(std::make_unique<Server>(cpus)) {}
Backend::~Backend() = default;
sockaddr_in Backend::address() const { return server_ ? server_->address() : sockaddr_in{}; }
void Backend::begin_interval() {
  if (server_) server_->begin_interval();
}
BackendReport Backend::report() const {
  if (server_) return server_->report();
  BackendReport gone;
  gone.stopped = true;
  return gone;
}
void Backend::stop() noexcept { server_.reset(); }

}  // namespace precipice
