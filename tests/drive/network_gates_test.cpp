// What judges the client, and what bounds a search over sockets, on records made by hand.
#include "harness/drive/network_gates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "harness/drive/failure_kind.hpp"
#include "harness/trial/failed_gates.hpp"

namespace precipice {
namespace {

bool has_gate(const Trial& trial, TrialGate gate) {
  return std::any_of(trial.invalid_reasons.begin(), trial.invalid_reasons.end(),
                     [&](const InvalidReason& reason) { return reason.gate == gate; });
}

/// A second of 1,000 requests, one a millisecond.
class Record1000 {
 public:
  Record1000() {
    for (std::size_t id = 0; id < slots_.size(); ++id)
      intended_.push_back(static_cast<std::int64_t>(id) * 1'000'000);
    trial_.request.rate_per_s = 1000;
    trial_.request.slo = std::chrono::milliseconds(10);
    trial_.network.emplace();
    trial_.network->connections = 4;
  }
  /// Stamps in microseconds behind the intended arrival.
  void request(std::size_t id, int lag, int waited, int wire) {
    slots_.sent(id).dispatch_ns = intended_[id] + 1000 * lag;
    slots_[id].begin_ns = slots_.sent(id).dispatch_ns + 1000 * waited;
    slots_.complete(id, slots_[id].begin_ns + 1000 * wire, Outcome::ok(0));
  }
  void fail(std::size_t id, const Outcome& outcome) {
    slots_.sent(id).dispatch_ns = slots_[id].begin_ns = intended_[id];
    slots_.complete(id, intended_[id] + 1000, outcome);
  }
  void all(int lag, int waited, int wire) {
    for (std::size_t id = 0; id < slots_.size(); ++id) request(id, lag, waited, wire);
  }
  Trial judged() {
    Recording recording;
    recording.intended_ns = intended_;
    recording.slots = &slots_;
    recording.issued = slots_.size();
    recording.window_end_ns = 1'000'000'000;
    recording.deadline_ns = 2'000'000'000;
    summarise(recording, trial_);
    measure_network(recording, trial_);
    apply_network_gates(trial_);
    trial_.valid = trial_.invalid_reasons.empty();
    return trial_;
  }
  NetworkFigures& network() { return *trial_.network; }

 private:
  Slots slots_{1000};
  std::vector<std::int64_t> intended_;
  Trial trial_;
};

TEST(NetworkGates, LetAPromptClientPass) {
  Record1000 record;
  record.all(3, 2, 500);
  const Trial trial = record.judged();
  EXPECT_TRUE(trial.invalid_reasons.empty());
  EXPECT_EQ(trial.network->on_time, 1);
  EXPECT_EQ(trial.lag.p50, 3000);
  EXPECT_EQ(trial.connection_wait.p50, 2000);
  EXPECT_EQ(trial.residence.p50, 500'000);
  EXPECT_EQ(trial.response.p50, 505'000);
  EXPECT_EQ(trial.note, "");
}

TEST(NetworkGates, JudgeArrivalsByThoseTakenUpLate) {
  // The bound is 2% of 10 ms.
  for (const int late : {0, 30, 51}) {
    Record1000 record;
    for (int id = 0; id < 1000; ++id)
      record.request(static_cast<std::size_t>(id), id < late ? 201 : 199, 0, 500);
    Trial trial = record.judged();
    EXPECT_NEAR(trial.network->on_time, 1 - late / 1000.0, 1e-9);
    EXPECT_EQ(has_gate(trial, TrialGate::on_time), late > 50);
    EXPECT_EQ(!trial.note.empty(), late == 30);
    EXPECT_FALSE(cannot_offer(trial)) << "a client with nothing to do was kept from its CPU";
    trial.network->client_busy = 0.6;
    trial.invalid_reasons.clear();
    apply_network_gates(trial);
    EXPECT_EQ(cannot_offer(trial), late > 50);
  }
}

TEST(NetworkGates, DoNotBlameTheClientForTheWaitForAConnection) {
  Record1000 record;
  record.all(1, 50'000, 500);
  EXPECT_EQ(record.judged().network->on_time, 1);
}

TEST(NetworkGates, JudgeTheClientsCpu) {
  for (const double busy : {0.94, 0.96}) {
    Record1000 record;
    record.all(1, 0, 500);
    record.network().client_busy = busy;
    const Trial trial = record.judged();
    EXPECT_EQ(has_gate(trial, TrialGate::client_cpu), busy > 0.95);
    EXPECT_EQ(cannot_offer(trial), busy > 0.95);
  }
}

TEST(NetworkGates, JudgeTheAcceptQueue) {
  for (const std::uint64_t overflows : {0U, 1U}) {
    Record1000 record;
    record.all(1, 0, 500);
    record.network().listen_overflows = overflows;
    const Trial trial = record.judged();
    EXPECT_EQ(has_gate(trial, TrialGate::listen_overflows), overflows > 0);
    EXPECT_EQ(cannot_offer(trial), overflows > 0);
  }
}

TEST(NetworkGates, CountFailuresByKind) {
  Record1000 record;
  for (std::size_t id = 0; id < 1000; ++id) {
    if (id < 3)
      record.fail(id, failure(FailureKind::timeout));
    else if (id == 3)
      record.fail(id, failure(FailureKind::connect, EACCES));
    else if (id == 4)
      record.fail(id, Outcome::failed(ECANCELED));  // cut off at the deadline
    else
      record.request(id, 1, 0, 500);
  }
  const Trial trial = record.judged();
  EXPECT_EQ(trial.network->errors,
            (std::map<std::string, std::uint64_t>{{"timeout", 3}, {"connect", 1}}));
  EXPECT_EQ(trial.counts.failed, 4U);
  EXPECT_EQ(trial.counts.unfinished, 1U);
  EXPECT_EQ(trial.residence.max, 500'000);
}

TEST(NetworkGates, CallTheLoopClosedAtItsConnectionsWhereTheWireKeepsTheSlo) {
  const auto bound = [](double all_busy, int waited, int wire) {
    Record1000 record;
    record.all(1, waited, wire);
    record.network().all_busy = all_busy;
    return record.judged().network->connections_bound;
  };
  EXPECT_TRUE(bound(0.6, 50'000, 4'000));
  EXPECT_FALSE(bound(0.6, 50'000, 12'000)) << "the server itself misses the SLO";
  EXPECT_FALSE(bound(0.6, 1'000, 4'000)) << "the SLO is kept";
  EXPECT_FALSE(bound(0.01, 50'000, 4'000)) << "connections were free";
}

}  // namespace
}  // namespace precipice
