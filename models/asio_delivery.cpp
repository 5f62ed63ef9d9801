// Operations that end elsewhere (at a gate, on an offload thread), passed to the threads that run
// the context.
#include <boost/asio/post.hpp>
#include <mutex>
#include <utility>

#include "models/asio_operations.hpp"

namespace precipice {

namespace asio = boost::asio;

struct AsioOperations::Drain {
  using allocator_type = HandlerRoom::Allocator<std::byte>;
  allocator_type get_allocator() const noexcept { return allocator_type(self->drain_room_); }
  AsioOperations* self;
  void operator()() const { self->drain(); }
};

void AsioOperations::read_finished(IoOp& op, std::int64_t result) noexcept {
  if (hook_ == Hook::on_any_thread) {
    completed_(context_, op, result);
  } else {
    deliver(op, result);
  }
}

void AsioOperations::deliver(IoOp& op, std::int64_t result) noexcept {
  op.result = result;
  op.next = nullptr;
  bool post = false;
  {
    const std::lock_guard lock(delivered_mutex_);
    (delivered_tail_ != nullptr ? delivered_tail_->next : delivered_head_) = &op;
    delivered_tail_ = &op;
    post = !std::exchange(drain_posted_, true);
  }
  // Outside the lock, which the thread that this may wake takes first of all.
  if (post) post_drain();
}

// Whoever calls this has set drain_posted_.
void AsioOperations::post_drain() { asio::post(io_.get_executor(), Drain{this}); }

void AsioOperations::drain() {
  IoOp* ended = nullptr;
  bool post = false;
  {
    const std::lock_guard lock(delivered_mutex_);
    ended = delivered_head_;
    if (threads_ == Threads::one || ended->next == nullptr) {
      delivered_head_ = delivered_tail_ = nullptr;
    } else {
      // With several threads running the context each takes one and leaves the rest to the others.
      delivered_head_ = ended->next;
      ended->next = nullptr;
      post = true;
    }
    drain_posted_ = post;
  }
  if (post) post_drain();
  while (ended != nullptr) {
    IoOp* op = ended;
    ended = op->next;
    completed_(context_, *op, op->result);
  }
}

}  // namespace precipice
