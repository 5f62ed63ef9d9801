#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/command_line.hpp"

namespace precipice {
namespace {

using Json = nlohmann::json;

class Advise : public testing::CommandLine {};

TEST_F(Advise, SaysWhatIsWrongWithAQuestion) {
  const auto refused = [&](const std::string& arguments, const std::string& part) {
    const Ended ended = run("advise " + arguments);
    EXPECT_EQ(ended.code, 2) << arguments;
    EXPECT_NE(ended.err.find(part), std::string::npos) << ended.err;
  };
  refused("--rate 600 --slo 'p99<25ms'", "--work");
  refused("--work 1ms --slo 'p99<25ms'", "--rate");
  refused("--work 1ms --rate 600", "--slo");
  refused("--work 1ms --waits 2 --rate 600 --slo 'p99<25ms'", "--wait");
  refused("--wait 'exponential(4)' --rate 600 --slo 'p99<25ms'", "exponential(4ms)");
  refused("--work 1ms --rate 600 --slo 'p99<25ms' --model event_lop", "event_loop");
  refused("--work 1ms --rate 600 --slo 'p99<25ms' --model oracle", "--clock virtual");
  refused("--work 1ms --rate 600 --slo 'p99<25ms' --threads 0", "--threads");
}

TEST_F(Advise, CapacityTakesSeveralModelsIntoOneTable) {
  const std::string models =
      "capacity --model oracle:mean=1ms --model oracle:mean=1ms,servers=2 --workload empty "
      "--clock virtual --blocks 2";
  const Ended table = run(models);
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("by cliff"), std::string::npos) << table.out;
  const Ended ended = run(models + " --json");
  ASSERT_EQ(ended.code, 0) << ended.err;
  const Json json = Json::parse(ended.out);
  ASSERT_EQ(json["cells"].size(), 2U);
  EXPECT_NEAR(json["cells"][1]["saturation_per_s"]["value"].get<double>(), 2000, 50);
  EXPECT_EQ(json["ranking"].size(), 2U);
  EXPECT_EQ(run(models + " --model oracle:mean=1ms").code, 2);
}

}  // namespace
}  // namespace precipice
