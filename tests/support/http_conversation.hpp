// A peer of a session: it sends the pieces that it is told to, reads everything, and runs the work.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "harness/http/answer.hpp"
#include "harness/http/http_date.hpp"
#include "harness/serve/session.hpp"

namespace precipice::testing {

class CountingHost final : public serve::SessionHost {
 public:
  void begun() noexcept override { ++begun_; }
  void answered(http::Status status, Time) noexcept override {
    ++ended_;
    statuses_.push_back(static_cast<int>(status));
  }
  void abandoned() noexcept override { ++ended_; }
  void refused(http::Status status) noexcept override {
    statuses_.push_back(static_cast<int>(status));
  }
  std::string metrics() override { return "figures\n"; }
  bool ending() const noexcept override { return ending_; }

  int begun_ = 0, ended_ = 0;
  std::vector<int> statuses_;
  bool ending_ = false;
};

class Conversation {
 public:
  using Want = serve::Session::Want;

  explicit Conversation(const serve::SessionLimits& limits = {}) : limits_(limits) {}

  /// Until the session wants more input, or closes.
  void send(std::string_view bytes) {
    for (run(); want_ == Want::input && !bytes.empty(); run()) {
      const std::span<char> room = session_.room();
      const std::size_t count = std::min(room.size(), bytes.size());
      std::memcpy(room.data(), bytes.data(), count);
      session_.received(count, Time());
      bytes.remove_prefix(count);
    }
  }
  void end(bool timed_out = false) {
    run();
    session_.ended(timed_out);
    run();
  }
  bool closed() const { return want_ == Want::close || want_ == Want::drop; }
  /// What it has read, without the dates and without interim answers, which depend on when the
  /// pieces of a body arrive.
  std::string text() const {
    constexpr std::string_view kDate = "\r\nDate: ";
    std::string text = text_;
    for (std::size_t at = 0; (at = text.find(kDate, at)) != text.npos; at += kDate.size())
      text.erase(at + kDate.size(), std::min(http::kDateBytes, text.size() - at - kDate.size()));
    for (std::size_t at = 0; (at = text.find(http::kContinue, at)) != text.npos;)
      text.erase(at, http::kContinue.size());
    return text;
  }
  std::vector<int> statuses() const { return host_.statuses_; }

  CountingHost host_;
  serve::SessionLimits limits_;
  serve::Session session_{host_, limits_};
  Want want_ = Want::input;
  std::string text_;
  int writes_ = 0;

 private:
  void run() {
    for (;;) {
      want_ = session_.advance();
      if (want_ == Want::output) {
        ++writes_;
        text_ += session_.output();
        session_.sent(session_.output().size());
      } else if (want_ == Want::work) {
        session_.worked(Outcome::ok(session_.seed() + 0xabc000));
      } else {
        return;
      }
    }
  }
};

}  // namespace precipice::testing
