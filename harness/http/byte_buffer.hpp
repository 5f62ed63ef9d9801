// A stretch of bytes that grows at its end and is consumed from its front. Its memory comes from
// the recycler of coroutine frames, and an empty one can give it back: an idle connection holds
// none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include "models/task.hpp"

namespace precipice::http {

/// Not thread-safe. Holds up to 2 GiB.
class ByteBuffer {
 public:
  static constexpr std::size_t kMost = std::size_t{1} << 31;

  ByteBuffer() = default;
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;
  ~ByteBuffer() { release(); }

  std::string_view view() const { return {data_ + begin_, size()}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  std::size_t capacity() const { return capacity_; }
  /// Bytes that can be written behind what is there without a move.
  std::size_t room() const { return capacity_ - end_; }

  /// Room for at least `bytes` behind what is there. Throws std::bad_alloc.
  char* reserve(std::size_t bytes) {
    if (room() < bytes) make_room(bytes);
    return data_ + end_;
  }
  /// So many of the bytes behind what was there have been written.
  void commit(std::size_t bytes) { end_ += static_cast<std::uint32_t>(bytes); }
  void append(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(reserve(text.size()), text.data(), text.size());
    commit(text.size());
  }
  void consume(std::size_t bytes) {
    begin_ += static_cast<std::uint32_t>(bytes);
    if (begin_ == end_) begin_ = end_ = 0;
  }
  /// Forgets what is there and gives the memory back.
  void release() noexcept {
    if (data_ != nullptr) free_frame(data_, capacity_);
    data_ = nullptr;
    begin_ = end_ = capacity_ = 0;
  }

 private:
  static constexpr std::size_t kFirst = 1024;

  void make_room(std::size_t bytes) {
    const std::size_t held = size();
    if (bytes > kMost - held) throw std::bad_alloc();
    if (held + bytes <= capacity_) {
      std::memmove(data_, data_ + begin_, held);
    } else {
      std::size_t larger = capacity_ == 0 ? kFirst : std::size_t{capacity_} * 2;
      while (larger < held + bytes) larger *= 2;
      auto* const moved = static_cast<char*>(allocate_frame(larger));
      if (held > 0) std::memcpy(moved, data_ + begin_, held);
      if (data_ != nullptr) free_frame(data_, capacity_);
      data_ = moved;
      capacity_ = static_cast<std::uint32_t>(larger);
    }
    begin_ = 0;
    end_ = static_cast<std::uint32_t>(held);
  }

  char* data_ = nullptr;
  std::uint32_t begin_ = 0, end_ = 0, capacity_ = 0;
};

}  // namespace precipice::http
