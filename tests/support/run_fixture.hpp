// A tiny suite, the runs of it, and what must hold of every directory that a run leaves.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/json.hpp"
#include "tests/support/child_process.hpp"

namespace precipice::testing {

using Json = nlohmann::ordered_json;

/// A directory of its own with suite.toml in it, and results/ and scratch/ below.
class RunUnderTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// `precipice run suite.toml`, or the same program with faults.
  Ended run(ChildOptions options = {}, std::vector<std::string> more = {});
  Child start(ChildOptions options = {}, std::vector<std::string> more = {});
  /// Its environment for a run with the fault, whose trials are simulated unless `real`.
  ChildOptions with_fault(const std::string& fault, bool real = false) const;
  void write_suite(const std::string& text) const;

  std::string results() const { return root_ + "/results"; }
  std::string err() const;
  std::string out() const;
  /// Directories of runs, oldest first.
  std::vector<std::string> directories() const;
  /// Of the newest.
  std::string directory() const;

  /// What is written there may only grow: checked against what was there the last time. Then keys,
  /// schema and the conservation of requests, line by line. Returns the whole lines.
  std::vector<Json> check_journal(const std::string& directory);
  /// The test itself has changed it.
  void forget(const std::string& directory) { seen_.erase(directory); }
  void forget_results();
  /// The files of a finished run, and nothing besides. `trials` is what check_journal returned.
  void check_finished(const std::string& directory, const std::vector<Json>& lines) const;

  std::string root_;
  std::string program_;

 private:
  std::map<std::string, std::string> seen_;  ///< whole lines by directory
};

std::string text_of(const std::string& path);
void write_text(const std::string& path, const std::string& text);
std::vector<std::string> keys_of(const std::vector<Json>& lines);
/// The names in it, without the values: two of one structure give one text.
std::string structure_of(const Json& json);

/// Two queues on the virtual clock, so that a run has one right answer (PRECIPICE_FAULT_VIRTUAL).
extern const char* const kSimulatedSuite;
/// One model on one workload in real time: `workload` is the body of its table.
std::string real_suite(const std::string& workload);

}  // namespace precipice::testing
