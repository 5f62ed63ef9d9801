// The models whose requests give up their thread to wait, each with a ledger of how requests ended.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "models/model.hpp"
#include "tests/support/process_entries.hpp"

namespace precipice::testing {

struct AsyncVariant {
  const char* name;
  ModelInfo (*info)();
  std::map<std::string, std::string> given;
};

/// A model with a job, and a ledger of how every request ended.
struct AsyncBench {
  using Body = Task<void> (*)(void*, Io&, Request);

  AsyncBench(const AsyncVariant& variant, std::size_t requests, Body body,
             std::map<std::string, std::string> more = {})
      : ends(requests), result(requests), refused(requests) {
    const ModelInfo info = variant.info();
    std::map<std::string, std::string> given = variant.given;
    given.merge(more);
    model = info.make(Options(info.name, info.options, given));
    setup.cpus = CpuSet::of_this_thread();
    setup.job = {body,
                 [](void* context, const Request& request, Refusal why) noexcept {
                   AsyncBench& self = *static_cast<AsyncBench*>(context);
                   self.refused[request.id] = static_cast<int>(why);
                   ++self.ends[request.id];
                 },
                 this};
  }

  void start() { model->start(setup); }
  static Request request(std::uint64_t id) {
    return {.id = id, .seed = static_cast<std::uint32_t>(id), .intended = Io::now()};
  }
  void submit_all() {
    for (std::uint64_t id = 0; id < ends.size(); ++id) {
      ASSERT_EQ(model->submit(request(id)), Refusal::none);
    }
  }
  void ended(const Request& request, std::int64_t value) {
    result[request.id] = value;
    ++ends[request.id];
  }
  void shutdown_drained() { model->shutdown(Time::max()); }
  void shutdown_now() { model->shutdown(Io::now()); }
  void expect_each_ended_once() const {
    for (std::size_t id = 0; id < ends.size(); ++id) ASSERT_EQ(ends[id], 1) << "request " << id;
    EXPECT_EQ(model->in_flight(), 0U);
  }
  double stat(const std::string& name) const {
    for (const auto& [key, value] : model->stats()) {
      if (key == name) return value;
    }
    ADD_FAILURE() << "no figure called " << name;
    return -1;
  }
  void wait_for(const std::atomic<std::uint64_t>& value, std::uint64_t least) const {
    while (value.load() < least) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  std::unique_ptr<Model> model;
  ModelSetup setup;
  std::vector<std::atomic<int>> ends;
  std::vector<std::int64_t> result;
  std::vector<int> refused;
  std::atomic<std::uint64_t> begun{0};
  // What single tests need besides.
  int descriptor = -1;
  sockaddr_in address{};
  std::vector<int> sockets;
  std::vector<std::unique_ptr<Gate>> gates;
  std::atomic<int> inside{0};
  std::atomic<int> most_inside{0};
  Time base{};
  std::atomic<bool> late{false};
  std::mutex order_mutex;
  std::vector<std::uint64_t> order;
};

class AsyncModels : public ::testing::TestWithParam<AsyncVariant> {
 protected:
  void SetUp() override {
    if (const auto reason = GetParam().info().unavailable()) GTEST_SKIP() << *reason;
  }
};

}  // namespace precipice::testing
