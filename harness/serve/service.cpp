#include "harness/serve/service.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <coroutine>
#include <new>
#include <optional>
#include <utility>

#include "harness/http/answer.hpp"

namespace precipice::serve {
namespace {

/// Waits for an operation that is kept elsewhere in the frame.
struct EndOf {
  IoOp& op;
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiting) const { return op.await_suspend(waiting); }
  std::int64_t await_resume() const noexcept { return op.result; }
};

/// Reads and forgets until the peer has ended its side: closed with bytes unread, the kernel would
/// reset the connection, and the peer would lose the answer that says why. Bounded by the sweeper,
/// and by this many bytes.
Task<void> read_away(Io& io, int fd) {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  ::shutdown(fd, SHUT_WR);
  Lease lease = io.lease(4096);
  for (std::size_t total = 0; total < kMost;) {
    const std::int64_t got = co_await io.recv(fd, lease.span());
    if (got <= 0) co_return;
    total += static_cast<std::size_t>(got);
  }
}

bool has_input(int fd) noexcept {
  char byte = 0;
  return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

}  // namespace

class Service::Host final : public SessionHost {
 public:
  Host(Service& service, unsigned executor) : service_(&service), executor_(executor) {}

  void begun() noexcept override { service_->metrics_.begun(executor_); }
  void answered(http::Status status, Time since) noexcept override {
    service_->metrics_.answered(executor_, status, Io::now() - since);
  }
  void abandoned() noexcept override { service_->metrics_.abandoned(executor_); }
  void refused(http::Status status) noexcept override {
    service_->metrics_.malformed(executor_, status);
  }
  std::string metrics() override { return service_->metrics_page_(); }
  bool ending() const noexcept override { return service_->ending(); }

 private:
  Service* service_;
  unsigned executor_;
};

Service::Service(Workload& workload, const SessionLimits& limits, ConnectionTable& table,
                 ServerMetrics& metrics, unsigned executors,
                 std::function<std::string()> metrics_page)
    : workload_(workload),
      limits_(limits),
      table_(table),
      metrics_(metrics),
      executors_(executors),
      metrics_page_(std::move(metrics_page)) {
  hosts_.reserve(executors);
  for (unsigned i = 0; i < executors; ++i) hosts_.emplace_back(*this, i);
}

Service::~Service() = default;

Job Service::job() { return {.run = &Service::run, .refuse = &Service::refuse, .context = this}; }

Request Service::request_for(const Slot& slot) const {
  return {.id = std::uint64_t{slot.index} * executors_ + slot.executor, .intended = Io::now()};
}

void Service::turn_away(Slot& slot) noexcept {
  const int fd = slot.fd;
  const bool idle = slot.watched && !has_input(fd);
  table_.close(slot);
  // A parked connection that its peer or its timeout ended: a client would take a 503 that comes
  // between requests for the answer to its next one.
  if (idle) {
    ::close(fd);
    return;
  }
  serve::turn_away(fd);
  turned_away_.fetch_add(1, std::memory_order_relaxed);
}

void Service::refuse(void* self, const Request& request, Refusal) noexcept {
  auto& service = *static_cast<Service*>(self);
  service.turn_away(service.slot_of(request));
}

// One frame for a connection's whole life, with one operation in it that every wait makes anew: ten
// thousand idle connections are ten thousand of these.
Task<void> Service::run(void* self, Io& io, Request request) {
  auto& service = *static_cast<Service*>(self);
  Slot& slot = service.slot_of(request);
  ConnectionTable& table = service.table_;
  const int fd = slot.fd;
  bool parks = false;
  {
    Session session(service.hosts_[slot.executor], service.limits_);
    std::optional<IoOp> op;
    Phase marked = Phase::none;
    bool read_rest = false;
    try {
      for (;;) {
        const Session::Want want = session.advance();
        if (want == Session::Want::input) {
          if (session.phase() == Phase::idle && service.ending()) break;
          parks = marked != Phase::none && session.phase() == Phase::idle && service.park_;
          // A head and a body each have one time for all of their bytes.
          if (marked != session.phase() || marked == Phase::idle) {
            marked = session.phase();
            table.mark(slot, marked);
          }
          if (parks) break;
          const std::span<std::byte> room = std::as_writable_bytes(session.room());
          op.emplace(io, IoOp::Kind::recv,
                     IoOp::Arguments{.fd = fd, .data = room.data(), .bytes = room.size()});
          const std::int64_t got = co_await EndOf{*op};
          if (got > 0) {
            session.received(static_cast<std::size_t>(got), Io::now());
          } else if (got == 0) {
            session.ended(slot.phase() == Phase::expired);
          } else {
            session.abandon();
          }
        } else if (want == Session::Want::output) {
          marked = Phase::writing;
          table.mark(slot, marked);
          const std::string_view output = session.output();
          op.emplace(io, IoOp::Kind::send,
                     IoOp::Arguments{
                         .fd = fd,
                         .data = reinterpret_cast<std::byte*>(const_cast<char*>(output.data())),
                         .bytes = output.size()});
          const std::int64_t sent = co_await EndOf{*op};
          if (sent <= 0) break;
          session.sent(static_cast<std::size_t>(sent));
        } else if (want == Session::Want::work) {
          marked = Phase::working;
          table.mark(slot, marked);
          const Request work{.id = request.id, .seed = session.seed(), .intended = Io::now()};
          if (service.front_ != nullptr) {
            const Asked asked = co_await service.front_->ask(io, work);
            if (asked.why == Refusal::none) {
              session.worked(asked.outcome);
            } else {
              session.shed(to_string(asked.why));
            }
          } else {
            const Outcome outcome = co_await service.workload_.run(io, work);
            session.worked(outcome);
          }
        } else {
          read_rest = want == Session::Want::drop;
          break;
        }
      }
      session.abandon();
      if (read_rest) {
        table.mark(slot, Phase::closing);
        co_await read_away(io, fd);
      }
    } catch (const std::exception&) {  // no memory, or the workload's own failure
      session.abandon();
    }
  }
  if (parks && service.park_(slot)) co_return;
  table.close(slot);
  io.close(fd);
}

void turn_away(int fd) noexcept {
  try {
    http::ByteBuffer out;
    http::append_answer(out, {.status = http::Status::unavailable,
                              .body = "the server takes no further connection\n",
                              .close = true});
    ::send(fd, out.view().data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } catch (const std::bad_alloc&) {  // then it is closed without a word
  }
  ::shutdown(fd, SHUT_WR);
  // What has arrived is read, or closing would reset the connection and the answer with it.
  std::array<char, 4096> unread;
  for (int i = 0; i < 16 && ::recv(fd, unread.data(), unread.size(), MSG_DONTWAIT) > 0; ++i) {
  }
  ::close(fd);
}

}  // namespace precipice::serve
