#include "harness/drive/slow_crowd.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "harness/drive/wire.hpp"
#include "harness/host/cpu_clock.hpp"
#include "harness/trial/interrupt.hpp"
#include "models/io.hpp"
#include "models/options.hpp"
#include "models/pinned_thread.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

// A field without end, for a head that is never complete.
constexpr std::string_view kEndless = "X-Slow: slow\r\n";
// What a client that is slow in its body announces: more than it sends before its end, and less
// than servers commonly take.
constexpr std::size_t kBody = 100'000;
// Whole requests of a client that is slow in reading. More would measure the work that they ask
// for.
constexpr int kPipelined = 8;
// Connecting: some at a time, so that the accept queue is not filled, and for so long in all.
constexpr std::size_t kAtOnce = 64;
constexpr Nanos kOpeningLimit = 30s;
// Steps that are due are taken together, so that many clients do not wake the thread as often.
constexpr Nanos kLook = 2ms;

/// The fields of a request, without the empty line and what is behind it.
std::string_view head_of(std::string_view request) {
  const std::size_t end = request.find("\r\n\r\n");
  return end == std::string_view::npos ? request : request.substr(0, end + 2);
}

/// The head of a request with a body of its own size instead of what it had.
std::string with_body(std::string_view request) {
  const std::string_view head = head_of(request);
  const std::size_t line = head.find("\r\n") + 2;
  const std::size_t blank = head.find(' ');
  std::string text = fmt::format("POST{}", head.substr(blank, line - blank));
  for (std::size_t at = line; at < head.size();) {
    const std::size_t end = head.find("\r\n", at) + 2;
    const std::string_view field = head.substr(at, end - at);
    if (!field.starts_with("Content-Length:")) text += field;
    at = end;
  }
  return text + fmt::format("Content-Length: {}\r\n\r\n", kBody);
}

}  // namespace

struct SlowCrowd::Client {
  Wire wire;
  bool made = false;     ///< else it is being connected, or is down
  std::size_t sent = 0;  ///< bytes after those that are sent at once
};

SlowCrowd::SlowCrowd(const Endpoint& endpoint, const TlsContext* tls, const SlowClients& settings,
                     std::string_view request, const std::atomic<bool>* stop)
    : endpoint_(endpoint),
      tls_(tls),
      settings_(settings),
      stop_asked_(stop),
      head_(head_of(request)),
      clients_(settings.count) {
  switch (settings.kind) {
    case SlowKind::header:
      break;
    case SlowKind::body:
      first_ = with_body(request);
      break;
    case SlowKind::read:
      for (int i = 0; i < kPipelined; ++i) first_ += request;
      break;
    case SlowKind::idle:
      first_ = request;
      break;
  }
}

SlowCrowd::~SlowCrowd() { stop(); }

void SlowCrowd::connect(Client& client) { connecting(client, client.wire.open(endpoint_, tls_)); }

void SlowCrowd::proceed(Client& client) {
  const short events = client.wire.wants_write() ? POLLOUT : POLLIN;
  pollfd waited{client.wire.descriptor(), events, 0};
  if (::poll(&waited, 1, 0) > 0) connecting(client, client.wire.proceed());
}

void SlowCrowd::connecting(Client& client, int result) {
  if (result == 0) {
    begin(client);
  } else if (result != -EAGAIN) {
    problem_ = client.wire.problem().empty() ? std::strerror(-result) : client.wire.problem();
    lose(client);
  }
}

void SlowCrowd::begin(Client& client) {
  client.made = true;
  client.sent = 0;
  ++report_.opened;
  if (!first_.empty()) send(client, first_);
}

void SlowCrowd::lose(Client& client) {
  if (client.made) ++report_.lost;
  client.made = false;
  client.wire.close();
}

void SlowCrowd::send(Client& client, std::string_view bytes) {
  const ssize_t sent = client.wire.send(bytes.data(), bytes.size());
  // A socket that takes no more is that of a client that is slow, too.
  if (sent < 0 && sent != -EAGAIN) lose(client);
}

bool SlowCrowd::take(Client& client) {
  char buffer[4096];
  const bool byte_by_byte = settings_.kind == SlowKind::read;
  for (;;) {
    const ssize_t received = client.wire.receive(buffer, byte_by_byte ? 1 : sizeof buffer);
    if (received == -EAGAIN) return true;
    if (received <= 0) {
      lose(client);
      return false;
    }
    if (byte_by_byte) return true;
  }
}

char SlowCrowd::next_byte(const Client& client) const {
  if (settings_.kind == SlowKind::body) return 'x';
  return client.sent < head_.size() ? head_[client.sent]
                                    : kEndless[(client.sent - head_.size()) % kEndless.size()];
}

void SlowCrowd::step(Client& client) {
  if (!client.wire.is_open()) return connect(client);
  if (!client.made) return proceed(client);
  if (!take(client)) return;
  if (settings_.kind != SlowKind::header && settings_.kind != SlowKind::body) return;
  if (settings_.kind == SlowKind::body && client.sent + 1 >= kBody) return;  // never whole
  const char byte = next_byte(client);
  ++client.sent;
  ++report_.bytes;
  send(client, {&byte, 1});
}

void SlowCrowd::start(const CpuSet& cpus) {
  const Time give_up = Io::now() + kOpeningLimit;
  std::size_t begun = 0;
  std::vector<Client*> under_way;
  std::vector<pollfd> waited;
  while (begun < clients_.size() || !under_way.empty()) {
    while (begun < clients_.size() && under_way.size() < kAtOnce) {
      Client& client = clients_[begun++];
      connect(client);
      if (client.wire.is_open() && !client.made) under_way.push_back(&client);
    }
    waited.clear();
    for (const Client* client : under_way) {
      const short events = client->wire.wants_write() ? POLLOUT : POLLIN;
      waited.push_back({client->wire.descriptor(), events, 0});
    }
    constexpr int kPollMs = 50;
    ::poll(waited.data(), waited.size(), kPollMs);
    for (Client* client : under_way) proceed(*client);
    std::erase_if(under_way,
                  [](const Client* client) { return client->made || !client->wire.is_open(); });
    if (stop_asked_ != nullptr && stop_asked_->load())
      throw Interrupted("interrupted while slow clients were connected");
    // A server that takes fewer closes the others, which is its answer; one that takes none is
    // gone.
    if (report_.opened == 0 && (begun == clients_.size() || Io::now() > give_up) &&
        under_way.empty()) {
      throw Unavailable(fmt::format("no slow client could connect to {}: {}", endpoint_.text,
                                    problem_.empty() ? "no answer in time" : problem_));
    }
    if (Io::now() > give_up) break;
  }
  start_thread(threads_, "slow clients", cpus, [this] { run(); });
}

void SlowCrowd::run() {
  const double cpu_before_ns = cpu_clock_ns(CLOCK_THREAD_CPUTIME_ID);
  const auto count = static_cast<std::int64_t>(clients_.size());
  const Nanos gap = std::max(Nanos{1}, settings_.interval / count);
  std::size_t next = 0;
  Time due = Io::now();
  std::unique_lock lock(mutex_);
  while (!over_) {
    lock.unlock();
    const Time now = Io::now();
    // Who was kept from running does not make up for it all at once.
    if (now - due > settings_.interval) due = now - settings_.interval;
    for (; due <= now; due += gap) {
      step(clients_[next]);
      next = (next + 1) % clients_.size();
    }
    lock.lock();
    changed_.wait_until(lock, std::max(due, now + kLook), [this] { return over_; });
  }
  report_.cpu_ns = cpu_clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_before_ns;
}

SlowReport SlowCrowd::stop() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  for (Client& client : clients_) client.wire.close();
  return report_;
}

}  // namespace precipice
