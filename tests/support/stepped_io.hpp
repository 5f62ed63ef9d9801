// An Io whose waits end when the test says so: any number of requests under way on one thread, and
// no wall time. For tests of workloads with permits and waits.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include "models/io.hpp"
#include "workloads/workload.hpp"

namespace precipice::testing {

/// Needs no buffers: operations on descriptors end with ENOSYS. One thread only.
class SteppedIo final : public Io {
 public:
  explicit SteppedIo(unsigned executor = 0) : executor_(executor) {}

  /// What was asked of a sleep. Its duration is from `least` to `most`: the clock is read outside
  /// of this Io.
  struct Asked {
    Nanos least{0};  ///< from when the sleep began, which is after the duration was added to now
    Nanos most{0};   ///< from when the request last went on, which is before
    Time until{};
  };
  std::vector<Asked> asked;
  std::vector<IoOp::Kind> kinds;
  /// Sleeps end at once.
  bool at_once = false;

  std::size_t sleeping() const { return sleeping_.size(); }
  /// Ends one of those that sleep, in the order in which they began; and then whatever goes on.
  void end(std::size_t which = 0, std::int64_t result = 0) {
    IoOp* op = sleeping_.at(which);
    sleeping_.erase(sleeping_.begin() + static_cast<std::ptrdiff_t>(which));
    go_on(*op, result);
    settle();
  }
  /// Lets go on what a gate has woken.
  void settle() {
    while (!woken_.empty()) {
      IoOp* op = woken_.front();
      woken_.pop_front();
      go_on(*op, 0);
    }
  }
  /// A request begins or goes on now.
  void going_on() { resumed_ = now(); }

  unsigned executor() const noexcept override { return executor_; }
  void close(int) noexcept override {}
  Lease lease(std::size_t bytes) override { return {*this, nullptr, bytes}; }
  void wake(IoOp& op) noexcept override { woken_.push_back(&op); }

 protected:
  void give_back(std::byte*, std::size_t) noexcept override {}

  Start start(IoOp& op) override {
    kinds.push_back(op.kind);
    op.result = 0;
    switch (op.kind) {
      case IoOp::Kind::acquire:
        return op.arguments.gate->enter_or_queue(op);
      case IoOp::Kind::compute:
        op.result = static_cast<std::int64_t>((*op.arguments.work)());
        return Start::completed;
      case IoOp::Kind::sleep:
        asked.push_back(
            {op.arguments.until - now(), op.arguments.until - resumed_, op.arguments.until});
        if (at_once) return Start::completed;
        sleeping_.push_back(&op);
        return Start::queued;
      default:
        op.result = -ENOSYS;
        return Start::completed;
    }
  }

 private:
  void go_on(IoOp& op, std::int64_t result) {
    going_on();
    op.finish(result);
  }

  unsigned executor_;
  Time resumed_{};
  std::vector<IoOp*> sleeping_;
  std::deque<IoOp*> woken_;
};

/// A request or batch that a test has begun. Must live until it has ended.
class Begun {
 public:
  Begun(Workload& workload, SteppedIo& io, std::vector<Request> requests, bool many)
      : requests_(std::move(requests)), outcomes_(requests_.size(), Outcome::needless()) {
    io.going_on();
    drive(*this, workload, io, many).start(nullptr, nullptr);
  }
  Begun(const Begun&) = delete;
  Begun& operator=(const Begun&) = delete;

  bool ended() const { return ended_; }
  const Outcome& outcome(std::size_t i = 0) const { return outcomes_[i]; }

 private:
  static Task<void> drive(Begun& self, Workload& workload, SteppedIo& io, bool many) {
    if (many) {
      co_await workload.run_many(io, self.requests_, self.outcomes_);
    } else {
      const Outcome outcome = co_await workload.run(io, self.requests_.front());
      self.outcomes_.front() = outcome;
    }
    self.ended_ = true;
  }

  std::vector<Request> requests_;
  std::vector<Outcome> outcomes_;
  bool ended_ = false;
};

inline Request request_of(std::uint64_t id, std::uint16_t attempt = 0) {
  return {.id = id,
          .seed = static_cast<std::uint32_t>(id % kTabulatedSeeds),
          .attempt = attempt,
          .intended = Io::now()};
}

/// `count` requests with dense ids.
inline std::vector<Request> requests_from(std::uint64_t first, std::size_t count) {
  std::vector<Request> requests;
  for (std::uint64_t id = first; id < first + count; ++id) requests.push_back(request_of(id));
  return requests;
}

/// Several requests at once, each on its own.
class Crowd {
 public:
  Crowd(Workload& workload, SteppedIo& io) : workload_(workload), io_(io) {}

  const Begun& begin(const Request& request) { return begin_all({request}, false); }
  const Begun& begin_batch(std::vector<Request> requests) {
    return begin_all(std::move(requests), true);
  }
  std::size_t ended() const {
    std::size_t count = 0;
    for (const Begun& each : begun_) count += each.ended() ? 1 : 0;
    return count;
  }
  const Begun& operator[](std::size_t i) const { return begun_[i]; }
  std::size_t size() const { return begun_.size(); }

 private:
  const Begun& begin_all(std::vector<Request> requests, bool many) {
    return begun_.emplace_back(workload_, io_, std::move(requests), many);
  }

  Workload& workload_;
  SteppedIo& io_;
  std::deque<Begun> begun_;
};

}  // namespace precipice::testing
