// Another's run repeated: what confirms its claims, what refutes them, and what can say neither.
#include "harness/compare/reproduction.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/json.hpp"
#include "tests/support/command_line.hpp"

namespace precipice {
namespace {

using testing::two_queues;
using Json = nlohmann::json;

TEST(Reproduction, RatesAndTimesAreAMachinesOwnAndRatiosAreNot) {
  const auto absolute = [](const char* that) { return is_absolute({"", that}); };
  EXPECT_TRUE(absolute("cliff(a, b) > 700/s"));
  EXPECT_TRUE(absolute("cliff(a, b) > 700"));
  EXPECT_TRUE(absolute("p99(a, b, 0.8) < 20ms"));
  EXPECT_TRUE(absolute("p99(a, b, 800/s) < 2 * p99(c, b, 800/s)"));
  EXPECT_TRUE(absolute("saturation(a, b) within 10% of 8 / 5ms"));
  EXPECT_FALSE(absolute("cliff(a, b) > 1.5 * cliff(c, b)"));
  EXPECT_FALSE(absolute("cliff(a, b) / saturation(a, b) within 5% of 0.54"));
  EXPECT_FALSE(absolute("p99(a, b, 0.8) > 2 * service_time(a, b)"));
  EXPECT_FALSE(absolute("retention(a, b) > 0.9"));
}

/// `cliff(exponential) OPERATOR ...` in short.
std::string claim(const std::string& say, std::string that) {
  for (const char* shape : {"exponential", "fixed"}) {
    const std::string name = shape;
    for (std::size_t at = that.find('<' + name + '>'); at != std::string::npos;
         at = that.find('<' + name + '>'))
      that.replace(at, name.size() + 2, "(oracle:mean=1ms,service=" + name + ", empty)");
  }
  return "[[claim]]\nsay = \"" + say + "\"\nthat = \"" + that + "\"\n";
}

class Reproduce : public testing::CommandLine {
 protected:
  /// A run that was measured with one bound and says that it was with another, as if the machine
  /// had been of another kind: what depends on the bound is not found again here.
  std::string planted(const std::string& claims) const {
    std::string suite = two_queues(claims, 3);
    const std::size_t bound = suite.find("10xS");
    suite.replace(bound, 4, "40xS");
    const std::string made = finished_run(suite, "theirs");
    std::string resolved = text_of(made + "/suite.toml");
    const std::size_t at = resolved.find("40xS");
    EXPECT_NE(at, std::string::npos) << resolved;
    resolved.replace(at, 4, "10xS");
    write(made + "/suite.toml", resolved);
    std::filesystem::create_directories(directory_ + "/" + made + "/figures");
    write(made + "/figures/drawn.svg", "<svg/>");
    return made;
  }
  Ended reproduce(const std::string& what, const std::string& more = "") const {
    return shell(PRECIPICE_SOURCE_DIR "/scripts/reproduce.sh " + what +
                 " --binary " PRECIPICE_BINARY " --out ours " + more);
  }
  static std::map<std::string, std::string> outcomes(const Json& json) {
    std::map<std::string, std::string> found;
    for (const Json& each : json.at("claims")) found[each.at("say")] = each.at("outcome");
    return found;
  }
};

TEST_F(Reproduce, SaysOfEveryClaimWhetherItIsConfirmed) {
  const std::string made =
      planted(claim("the steadier the further", "cliff<fixed> > 1.1 * cliff<exponential>") +
              claim("the cliff is at 88% of saturation",
                    "cliff<exponential> / saturation<exponential> within 10% of 0.885") +
              claim("it carries 800 a second", "cliff<exponential> > 800/s") +
              claim("the other way round", "cliff<exponential> > 1.1 * cliff<fixed>") +
              claim("it carries 450 a second", "cliff<exponential> > 450/s"));
  ASSERT_EQ(run("bundle " + made + " -o theirs.tar.gz").code, 0);
  const Ended ended = reproduce("theirs.tar.gz", "--json");
  EXPECT_EQ(ended.code, 1) << ended.err;
  const Json json = Json::parse(ended.out);
  EXPECT_FALSE(json.at("derived").get<bool>());
  EXPECT_EQ(json.at("exit_code"), 1);
  const std::map<std::string, std::string> expected = {
      {"the steadier the further", "confirmed"},
      {"the cliff is at 88% of saturation", "not confirmed"},
      // Rates are a machine's own: what falls short of one refutes nothing, what reaches it does.
      {"it carries 800 a second", "undecided"},
      {"the other way round", "undecided"},
      {"it carries 450 a second", "confirmed"}};
  EXPECT_EQ(outcomes(json), expected) << ended.out;
  std::map<std::string, std::string> remarks;
  for (const Json& each : json.at("claims")) remarks[each.at("say")] = each.at("remark");
  EXPECT_NE(remarks["it carries 800 a second"].find("machine's own"), std::string::npos);
  EXPECT_NE(remarks["the other way round"].find("did not show"), std::string::npos);
  // The same for people, from the archive unpacked; and a run continues or repeats at will.
  ASSERT_EQ(shell("mkdir u && tar -xzf theirs.tar.gz -C u").code, 0);
  const Ended text = reproduce("u/*");
  EXPECT_EQ(text.code, 1) << text.err;
  EXPECT_NE(text.out.find("2 confirmed, 1 not confirmed, 2 undecided"), std::string::npos)
      << text.out;
  EXPECT_NE(text.out.find("\nnot confirmed  the cliff is at 88%"), std::string::npos) << text.out;
}

TEST_F(Reproduce, ASuiteWithoutClaimsIsHeldToItsShape) {
  const std::string made = planted("");
  const Ended refuted = reproduce(made, "--json");
  EXPECT_EQ(refuted.code, 1) << refuted.err;
  const Json json = Json::parse(refuted.out);
  EXPECT_TRUE(json.at("derived").get<bool>());
  int confirmed = 0, not_confirmed = 0;
  for (const Json& each : json.at("claims")) {
    const bool share =
        each.at("that").get<std::string>().find(") / saturation(") != std::string::npos;
    confirmed += each.at("outcome") == "confirmed" ? 1 : 0;
    not_confirmed += each.at("outcome") == "not confirmed" ? 1 : 0;
    // Only the cliff depends on the bound that was planted.
    EXPECT_TRUE(each.at("outcome") != "not confirmed" || share) << each.dump(1);
  }
  EXPECT_GE(confirmed, 2) << refuted.out;
  EXPECT_GE(not_confirmed, 1) << refuted.out;
  // A run with the bound that it says is confirmed whole.
  const std::string honest = finished_run(two_queues("", 3), "honest");
  const Ended ended = reproduce(honest);
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_NE(ended.out.find(" 0 not confirmed, 0 undecided"), std::string::npos) << ended.out;
}

TEST_F(Reproduce, ADamagedArchiveIsRefusedAndNamesTheFile) {
  const std::string made = planted("");
  ASSERT_EQ(run("bundle " + made + " -o b.tar.gz").code, 0);
  ASSERT_EQ(
      shell("mkdir u && tar -xzf b.tar.gz -C u && sed -i s/poisson/uniform/ u/*/run/suite.toml && "
            "tar -czf changed.tar.gz -C u . && tar -czf changed2.tar.gz -C u $(ls u)")
          .code,
      0);
  for (const char* what : {"u/*", "changed2.tar.gz"}) {
    const Ended ended = reproduce(what);
    EXPECT_EQ(ended.code, 2) << ended.err;
    EXPECT_NE(ended.err.find("run/suite.toml"), std::string::npos) << ended.err;
    EXPECT_EQ(ended.out, "");
  }
  ASSERT_EQ(shell("head -c 2000 b.tar.gz >torn.tar.gz").code, 0);
  write("plain.txt", "no archive");
  for (const char* what : {"torn.tar.gz", "plain.txt", "nowhere", "changed.tar.gz"})
    EXPECT_EQ(reproduce(what).code, 2) << what;
  EXPECT_EQ(reproduce("").code, 2);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/ours"));
}

TEST_F(Reproduce, CellsThatWereNotRepeatedAreUndecided) {
  const std::string made =
      finished_run(two_queues(claim("far", "cliff<fixed> > 1.1 * cliff<exponential>"), 3));
  const Ended ended = reproduce(made, "--only fixed --json");
  EXPECT_EQ(ended.code, 3) << ended.err;
  EXPECT_EQ(Json::parse(ended.out).at("claims")[0].at("outcome"), "undecided");
}

}  // namespace
}  // namespace precipice
