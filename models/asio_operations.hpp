// Performs IoOps on a Boost.Asio io_context (1.81), for every model that waits on a reactor.
//
// What each kind costs: a sleep is one native timer, built inside the operation; send is tried
// before it waits; recv waits for the edge-triggered registration made when the descriptor was
// first seen, after one attempt, unless the last recv has left the socket empty; connect and accept
// wait for readiness only when they must; waiting for readiness arms the registration again (one
// epoll_ctl), so that what is there already counts; a read of a regular file cannot be polled and
// goes to the offload threads; compute runs where it is.
#pragma once

#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "models/buffer_pool.hpp"
#include "models/io.hpp"
#include "models/offload_pool.hpp"
#include "models/task.hpp"

namespace boost::asio::detail {
class epoll_reactor;
}

namespace precipice {

/// Memory for Asio's handlers from the frame recycler: 64-byte classes on per-thread free lists, so
/// that a waiting operation costs its handler's size and no malloc in steady state.
template <class T>
struct FrameAllocator {
  using value_type = T;
  FrameAllocator() = default;
  template <class U>
  FrameAllocator(const FrameAllocator<U>&) noexcept {}
  T* allocate(std::size_t n) { return static_cast<T*>(allocate_frame(n * sizeof(T))); }
  void deallocate(T* memory, std::size_t n) noexcept { free_frame(memory, n * sizeof(T)); }
  template <class U>
  bool operator==(const FrameAllocator<U>&) const noexcept {
    return true;
  }
};

/// Room for a handler that is posted again and again but is never queued twice at once. Asio gives
/// the memory back before it calls the handler, so the handler may post itself again.
class HandlerRoom {
 public:
  template <class T>
  struct Allocator {
    using value_type = T;
    HandlerRoom* room;
    explicit Allocator(HandlerRoom& where) noexcept : room(&where) {}
    template <class U>
    Allocator(const Allocator<U>& other) noexcept : room(other.room) {}
    T* allocate(std::size_t n) {
      if (n * sizeof(T) > sizeof room->bytes_) throw std::bad_alloc();
      return reinterpret_cast<T*>(room->bytes_);
    }
    void deallocate(T*, std::size_t) noexcept {}
    template <class U>
    bool operator==(const Allocator<U>& other) const noexcept {
      return room == other.room;
    }
  };

 private:
  alignas(std::max_align_t) std::byte bytes_[128];
};

class AsioOperations final : private OffloadClient {
 public:
  /// `one`: everything happens on the single thread that runs the context, except deliver().
  /// `many`: operations may begin on any thread, and several threads may run the context; its
  /// tables take a lock.
  enum class Threads : std::uint8_t { one, many };
  /// Told that an operation which answered queued has ended. Calls op.finish(result), or passes it
  /// on. Nothing is locked meanwhile.
  using Completed = void (*)(void* context, IoOp& op, std::int64_t result);
  /// Where it is told: always on a thread that runs the context; or, when it only passes the
  /// operation on, on whichever thread knows first, which spares a finished read the way through
  /// the context.
  enum class Hook : std::uint8_t { on_context, on_any_thread };

  /// All of them outlive this object (the threads of `offload` may be in it until they are joined),
  /// and no operation is under way when it is destroyed. Whoever runs the context keeps it alive (a
  /// work guard) while operations wait at gates or are offloaded. Throws
  /// boost::system::system_error (no descriptors for a reactor) and std::bad_alloc.
  AsioOperations(boost::asio::io_context& io, OffloadPool& offload, Threads threads,
                 Completed completed, void* context, Hook hook = Hook::on_context);
  AsioOperations(const AsioOperations&) = delete;
  AsioOperations& operator=(const AsioOperations&) = delete;
  /// Lets go of the descriptors that requests have left open, without closing them.
  ~AsioOperations();

  /// Begins the operation, with the meaning of Io::start. Throws only what a compute function
  /// throws.
  Start start(IoOp& op);
  /// Ends an operation that waits elsewhere (at a gate) from any thread: the hook is called on the
  /// context, never inside this call. Nothing else may be using op.next.
  void deliver(IoOp& op, std::int64_t result) noexcept;
  /// Ends what waits with -ECANCELED, now and for operations begun later; compute still runs, gates
  /// drain by themselves and a file read that a thread has begun ends as it would have.
  void cancel_all() noexcept;

  /// As Io::close, Io::lease and Io::give_back. A descriptor that came from elsewhere stays open
  /// until this object is gone, or is closed here: its registration goes by its number.
  void close(int socket) noexcept;
  std::byte* lend(std::size_t bytes) { return buffers_.lend(bytes); }
  void give_back(std::byte* data, std::size_t bytes) noexcept { buffers_.give_back(data, bytes); }

  /// Sleeps and socket operations that wait now. Thread-safe.
  std::uint64_t waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }

 private:
  class Socket;
  class Receive;
  struct TimerEnded;
  struct SocketEnded;
  struct ReadyEnded;
  struct Drain;

  void read_finished(IoOp& op, std::int64_t result) noexcept override;

  Start done(IoOp& op, std::int64_t result) const noexcept;
  Start start_sleep(IoOp& op);
  Start start_recv(IoOp& op);
  Start start_send(IoOp& op);
  Start start_accept(IoOp& op);
  Start start_connect(IoOp& op);
  Start start_readiness(IoOp& op);

  std::unique_lock<std::mutex> guard();
  Socket* socket_for(int descriptor, int& error);
  void link(IoOp& op) noexcept;
  void unlink(IoOp& op) noexcept;
  void end(IoOp& op, std::int64_t result);
  void wait_until_ready(IoOp& op, Socket& socket);
  void ready(IoOp& op, bool aborted);
  void post_drain();
  void drain();

  boost::asio::io_context& io_;
  boost::asio::detail::epoll_reactor& reactor_;
  OffloadPool& offload_;
  const Threads threads_;
  const Completed completed_;
  void* const context_;
  const Hook hook_;
  BufferPool buffers_;

  std::mutex mutex_;                              // over the next four, when threads_ is many
  std::vector<std::unique_ptr<Socket>> sockets_;  // by descriptor
  IoOp* pending_ = nullptr;
  bool cancelled_ = false;
  std::atomic<std::uint64_t> waiting_{0};

  std::mutex delivered_mutex_;
  IoOp* delivered_head_ = nullptr;
  IoOp* delivered_tail_ = nullptr;
  bool drain_posted_ = false;
  HandlerRoom drain_room_;
};

}  // namespace precipice
