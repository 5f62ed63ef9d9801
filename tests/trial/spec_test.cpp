#include "harness/trial/spec.hpp"

#include <gtest/gtest.h>

namespace precipice {
namespace {

template <class Body>
std::string complaint(Body body) {
  try {
    body();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in: " << text;
}

TEST(Spec, SplitsNameAndKeys) {
  const Spec spec = parse_spec("fixed_pool:threads=8,in_flight_limit=10", "model");
  EXPECT_EQ(spec.name, "fixed_pool");
  EXPECT_EQ(spec.given.at("threads"), "8");
  EXPECT_EQ(spec.given.at("in_flight_limit"), "10");
}

TEST(Spec, KeepsCommasAndEqualSignsInsideParentheses) {
  const Spec spec = parse_spec("cpu:dist=bimodal(0.9,short=1,long=10),work=1ms", "workload");
  EXPECT_EQ(spec.given.at("dist"), "bimodal(0.9,short=1,long=10)");
  EXPECT_EQ(spec.given.at("work"), "1ms");
}

TEST(Spec, CanonicalTextParsesToItselfInAnyOrderOfKeys) {
  const Spec a = parse_spec("cpu:work=1ms,dist=bimodal(0.9,1,10)", "workload");
  const Spec b = parse_spec("cpu:dist=bimodal(0.9,1,10),work=1ms", "workload");
  EXPECT_EQ(a.to_string(), b.to_string());
  EXPECT_EQ(parse_spec(a.to_string(), "workload").to_string(), a.to_string());
  EXPECT_EQ(label(a), "cpu dist=bimodal(0.9,1,10) work=1ms");
}

TEST(Spec, SaysWhatIsWrongWithItsForm) {
  expect_contains(complaint([] { parse_spec("", "model"); }), "no name");
  expect_contains(complaint([] { parse_spec("cpu:work", "workload"); }), "where key=value belongs");
  expect_contains(complaint([] { parse_spec("cpu:work=", "workload"); }), "no value to 'work'");
  expect_contains(complaint([] { parse_spec("cpu:=1ms", "workload"); }), "without a key");
  expect_contains(complaint([] { parse_spec("cpu:a=1,a=2", "workload"); }), "'a' twice");
  expect_contains(complaint([] { parse_spec("cpu:dist=f(1,2", "workload"); }), "parentheses");
}

TEST(Spec, SuggestsTheNameThatWasMeant) {
  expect_contains(complaint([] { parse_model("fixed_pol"); }), "fixed_pool");
  expect_contains(complaint([] { parse_workload("slep"); }), "sleep");
  expect_contains(complaint([] { parse_model("fixed_pool:thread=8"); }), "threads");
  EXPECT_NE(complaint([] { parse_model("fixed_pool:threads=none"); }), "");
}

TEST(SloText, ReadsMultiplesOfSAndDurations) {
  const Slo relative = parse_slo("p99 < 10xS");
  EXPECT_EQ(relative.percentile, 99);
  EXPECT_EQ(relative.times_service, 10);
  const Slo absolute = parse_slo("p99.9<=5ms");
  EXPECT_EQ(absolute.percentile, 99.9);
  EXPECT_EQ(absolute.times_service, 0);
  EXPECT_EQ(absolute.bound, std::chrono::milliseconds(5));
  EXPECT_EQ(parse_slo("p999<5ms").percentile, 99.9);
  EXPECT_EQ(parse_slo("p50 < 2.5 x S").times_service, 2.5);
}

TEST(SloText, ShowsBothFormsWhenItIsWrong) {
  for (const char* text : {"", "p99", "p98<5ms", "p99<", "p99<5", "p99<0ms", "p99<0xS", "p99<xS",
                           "p99<10S", "p99>5ms", "p99<nanxS"}) {
    const std::string message = complaint([&] { parse_slo(text); });
    expect_contains(message, "'p99<5ms'");
    expect_contains(message, "10xS");
  }
}

TEST(Rate, IsFiniteAndAboveZeroAndWithinWhatCanBeOffered) {
  EXPECT_EQ(parse_rate("5000", "--rate"), 5000);
  EXPECT_EQ(parse_rate("1.2M", "--rate"), 1.2e6);
  EXPECT_EQ(parse_rate("5k", "--rate"), 5000);
  for (const char* text : {"0", "-1", "nan", "inf", "", "fast", "5x"})
    expect_contains(complaint([&] { parse_rate(text, "--rate"); }), "above 0");
  expect_contains(complaint([] { parse_rate("1e12", "--rate"); }), "at most 5000000");
}

TEST(Count, IsWrittenAsARateIs) {
  EXPECT_EQ(parse_count("1M", "--closed", 1, 1'000'000), 1'000'000U);
  EXPECT_EQ(parse_count("1.001k", "--closed", 1, 1'000'000), 1001U);
  EXPECT_EQ(parse_count("18446744073709551615", "--seed", 0, ~std::uint64_t{0}), ~std::uint64_t{0})
      << "to the last digit";
  for (const char* text : {"0", "2M", "-1", "1.5", "1.0001k", "nan", "inf", "", "1m", "1kk", "k"})
    expect_contains(complaint([&] { parse_count(text, "--closed", 1, 1'000'000); }),
                    "from 1 to 1000000");
  EXPECT_NO_THROW(parse_model("fixed_pool:threads=1k,in_flight_limit=2M"));
  expect_contains(complaint([] { parse_model("fixed_pool:threads=1M"); }), "from 1 to 100000");
}

}  // namespace
}  // namespace precipice
