#include "models/task.hpp"

#include <array>
#include <cstdlib>
#include <new>
#include <utility>

namespace precipice {
namespace {

constexpr std::size_t kClassBytes = 64;
constexpr std::size_t kClasses = 33;         // up to 2 KiB; larger frames go to malloc
constexpr std::size_t kKeptPerClass = 4096;  // bounds what an idle thread holds back

struct FreeFrame {
  FreeFrame* next;
};

struct FrameCache {
  std::array<FreeFrame*, kClasses> head{};
  std::array<std::size_t, kClasses> count{};
  std::size_t fail_after = 0;

  ~FrameCache() {
    for (FreeFrame* frame : head) {
      while (frame != nullptr) std::free(std::exchange(frame, frame->next));
    }
  }
};

// Looked up once per call and never held across a suspension point.
FrameCache& cache() {
  thread_local FrameCache instance;
  return instance;
}

constexpr std::size_t class_of(std::size_t bytes) {
  return (bytes + kClassBytes - 1) / kClassBytes;
}

}  // namespace

void* allocate_frame(std::size_t bytes) {
  FrameCache& frames = cache();
  if (frames.fail_after != 0 && --frames.fail_after == 0) throw std::bad_alloc();
  const std::size_t index = class_of(bytes);
  if (index < kClasses) {
    if (FreeFrame* frame = frames.head[index]) {
      frames.head[index] = frame->next;
      --frames.count[index];
      return frame;
    }
  }
  void* frame = std::malloc(index * kClassBytes);
  if (frame == nullptr) throw std::bad_alloc();
  return frame;
}

void free_frame(void* frame, std::size_t bytes) noexcept {
  FrameCache& frames = cache();
  const std::size_t index = class_of(bytes);
  if (index < kClasses && frames.count[index] < kKeptPerClass) {
    frames.head[index] = new (frame) FreeFrame{frames.head[index]};
    ++frames.count[index];
    return;
  }
  std::free(frame);
}

void fail_frame_allocation_after(std::size_t n) noexcept { cache().fail_after = n; }

}  // namespace precipice
