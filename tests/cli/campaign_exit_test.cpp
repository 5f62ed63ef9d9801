// A cell that a limit of the machine leaves without a cliff is exit code 4, not 3: no better
// measurement would change it.
#include "harness/cli/campaign_exit.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/command_line.hpp"

namespace precipice::testing {
namespace {

CellSummary cell_with(Reached cliff, bool lacking, const std::string& failure = "") {
  CellSummary cell;
  cell.result.cliff.reached = cliff;
  cell.lacking = lacking;
  cell.failure = failure;
  return cell;
}

cli::Exit exit_of(std::vector<CellSummary> cells) {
  CampaignResult result;
  result.cells = std::move(cells);
  return cli::exit_of(result);
}

TEST(CampaignExit, TellsALimitOfTheMachineFromAnInvalidMeasurement) {
  const CellSummary whole = cell_with(Reached::ok, false);
  const CellSummary bounded = cell_with(Reached::above, true);
  const CellSummary limited = cell_with(Reached::unmeasured, true);
  const CellSummary refused = cell_with(Reached::unmeasured, true, "no thread");
  const CellSummary invalid = cell_with(Reached::unmeasured, false);
  const CellSummary faulty = cell_with(Reached::unmeasured, false, "a wrong digest");
  EXPECT_EQ(exit_of({whole, bounded}), cli::kDone);
  EXPECT_EQ(exit_of({whole, limited}), cli::kLacking);
  EXPECT_EQ(exit_of({whole, refused}), cli::kLacking);
  EXPECT_EQ(exit_of({limited, invalid}), cli::kInvalid);
  EXPECT_EQ(exit_of({refused, faulty}), cli::kInvalid);
}

class LimitOfTheMachine : public CommandLine {
 protected:
  /// The first trial of the cell is simulated, the others are refused.
  Ended faulty(const std::string& arguments) const {
    return shell(
        "PRECIPICE_FAULT=unavailable@2.0 PRECIPICE_FAULT_VIRTUAL=1 " PRECIPICE_FAULTY_BINARY " " +
        arguments);
  }
};

TEST_F(LimitOfTheMachine, AfterACellsFirstTrialIsNamedAndEndsInFour) {
  const Ended one = faulty("capacity --model oracle:mean=1ms --workload empty --blocks 1 --force");
  EXPECT_EQ(one.code, 4) << one.out << one.err;
  EXPECT_NE(one.out.find("the kernel refuses a thread"), std::string::npos) << one.out << one.err;

  write("suite.toml", R"toml(schema = 1
name = "limited"
blocks = 1
[[model]]
use = "oracle"
mean = "1ms"
[[workload]]
use = "empty"
[[claim]]
say = "it carries 500/s"
that = "cliff(oracle, empty) > 500/s"
)toml");
  const Ended whole = faulty("run suite.toml --out results --fresh --force");
  EXPECT_EQ(whole.code, 4) << whole.out << whole.err;
  EXPECT_NE(whole.out.find("the kernel refuses a thread"), std::string::npos) << whole.out;

  const Ended checked = shell(PRECIPICE_BINARY " check results/limited");
  EXPECT_EQ(checked.code, 4) << checked.out << checked.err;
  EXPECT_NE(checked.out.find("the kernel refuses a thread"), std::string::npos) << checked.out;
}

}  // namespace
}  // namespace precipice::testing
