#include "harness/serve/connection_table.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>

#include "models/io.hpp"

namespace precipice::serve {
namespace {

// An eighth of the shortest timeout, so that none is exceeded by much; but no more often than a
// kernel's tick, and once a second at least.
std::chrono::milliseconds interval_for(const Timeouts& timeouts) {
  using std::chrono::milliseconds;
  milliseconds shortest(8000);
  for (const milliseconds each : {timeouts.idle, timeouts.header, timeouts.body, timeouts.write}) {
    if (each > milliseconds(0)) shortest = std::min(shortest, each);
  }
  return std::clamp<milliseconds>(shortest / 8, milliseconds(10), milliseconds(1000));
}

}  // namespace

ConnectionTable::ConnectionTable(std::size_t most, unsigned executors, const Timeouts& timeouts)
    : most_(most),
      timeouts_(timeouts),
      interval_(interval_for(timeouts)),
      epoch_(Io::now()),
      blocks_((most + kBlock - 1) / kBlock),
      loads_(executors) {
  memory_.reserve(blocks_.size());
}

Slot* ConnectionTable::open(int fd, unsigned executor) noexcept {
  const std::lock_guard lock(free_mutex_);
  if (count_.load(std::memory_order_relaxed) >= most_) return nullptr;
  std::uint32_t index = 0;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    if (made_ % kBlock == 0) {
      try {
        memory_.push_back(std::make_unique<Slot[]>(kBlock));
        free_.reserve(memory_.size() * kBlock);  // so that close() never needs memory
      } catch (const std::bad_alloc&) {
        if (memory_.size() * kBlock > made_) memory_.pop_back();
        return nullptr;
      }
      Slot* const block = memory_.back().get();
      for (std::size_t i = 0; i < kBlock; ++i)
        block[i].index = static_cast<std::uint32_t>(made_ + i);  // the sweeper reads it from now on
      blocks_[made_ / kBlock].store(block, std::memory_order_release);
    }
    index = static_cast<std::uint32_t>(made_++);
  }
  Slot& slot = at(index);
  slot.executor = executor == kAny ? emptiest() : executor;
  slot.watched = false;
  count_.fetch_add(1, std::memory_order_relaxed);
  loads_[slot.executor].opened.fetch_add(1, std::memory_order_relaxed);
  loads_[slot.executor].now.fetch_add(1, std::memory_order_relaxed);
  {
    const std::lock_guard own(lock_of(slot));
    slot.fd = fd;
  }
  mark(slot, Phase::queued);
  return &slot;
}

void ConnectionTable::close(Slot& slot) noexcept {
  {
    const std::lock_guard own(lock_of(slot));
    slot.fd = -1;
    slot.state.store(0, std::memory_order_relaxed);
  }
  loads_[slot.executor].now.fetch_sub(1, std::memory_order_relaxed);
  const std::lock_guard lock(free_mutex_);
  free_.push_back(slot.index);
  count_.fetch_sub(1, std::memory_order_relaxed);
}

// Of equals the one that was given the fewest so far: connections that come one at a time go round.
unsigned ConnectionTable::emptiest() const noexcept {
  const auto load = [this](unsigned i) {
    return std::pair(loads_[i].now.load(std::memory_order_relaxed),
                     loads_[i].opened.load(std::memory_order_relaxed));
  };
  unsigned best = 0;
  for (unsigned i = 1; i < loads_.size(); ++i) {
    if (load(i) < load(best)) best = i;
  }
  return best;
}

// The clock is that of the last sweep: the interval makes up for its age, so that nobody has less
// time than the timeout says.
std::uint64_t ConnectionTable::end_of(Phase phase) const noexcept {
  std::chrono::milliseconds time{0};
  switch (phase) {
    case Phase::idle:
      time = timeouts_.idle;
      break;
    case Phase::head:
      time = timeouts_.header;
      break;
    case Phase::body:
      time = timeouts_.body;
      break;
    case Phase::writing:
      time = timeouts_.write;
      break;
    case Phase::closing:
      time = std::chrono::milliseconds(1000);
      break;
    default:
      break;
  }
  if (time.count() <= 0) return 0;
  return now_ms_.load(std::memory_order_relaxed) +
         static_cast<std::uint64_t>((time + interval_).count());
}

void ConnectionTable::sweep(Time now, bool ending) noexcept {
  const auto now_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now - epoch_).count() + 1);
  now_ms_.store(now_ms, std::memory_order_relaxed);
  for (const std::atomic<Slot*>& block : blocks_) {
    Slot* const slots = block.load(std::memory_order_acquire);
    if (slots == nullptr) return;
    for (std::size_t i = 0; i < kBlock; ++i) end_if_late(slots[i], now_ms, ending);
  }
}

void ConnectionTable::end_if_late(Slot& slot, std::uint64_t now_ms, bool ending) noexcept {
  std::uint64_t state = slot.state.load(std::memory_order_relaxed);
  const auto phase = static_cast<Phase>(state & 0xff);
  const std::uint64_t end = state >> 8;
  const bool late = end != 0 && end < now_ms;
  if (!late && !(ending && phase == Phase::idle)) return;
  const std::lock_guard own(lock_of(slot));
  if (slot.fd < 0) return;
  if (phase == Phase::writing || phase == Phase::closing) {
    // Not the end of its receiving only: the peer does not read.
    if (slot.state.load(std::memory_order_relaxed) == state) ::shutdown(slot.fd, SHUT_RDWR);
    return;
  }
  // What arrived just before is still received, and then the end.
  if (slot.state.compare_exchange_strong(state, static_cast<std::uint64_t>(Phase::expired),
                                         std::memory_order_relaxed))
    ::shutdown(slot.fd, SHUT_RD);
}

void ConnectionTable::close_all() noexcept {
  for (const std::atomic<Slot*>& block : blocks_) {
    Slot* const slots = block.load(std::memory_order_acquire);
    if (slots == nullptr) return;
    for (std::size_t i = 0; i < kBlock; ++i) {
      const int fd = slots[i].fd;
      if (fd < 0) continue;
      close(slots[i]);
      ::close(fd);
    }
  }
}

std::size_t ConnectionTable::requests() noexcept {
  std::size_t found = 0;
  for (const std::atomic<Slot*>& block : blocks_) {
    Slot* const slots = block.load(std::memory_order_acquire);
    if (slots == nullptr) break;
    for (std::size_t i = 0; i < kBlock; ++i) found += is_request(slots[i].phase()) ? 1U : 0U;
  }
  return found;
}

}  // namespace precipice::serve
