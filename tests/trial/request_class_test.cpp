#include "harness/trial/request_class.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace precipice {
namespace {

using namespace std::chrono_literals;

std::string complaint(const std::vector<std::string>& texts) {
  try {
    parse_classes(texts, "--class");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(RequestClasses, AreReadInOrder) {
  const auto classes =
      parse_classes({"live:share=0.9,slo=p99<5ms", "batch-2:share=10%"}, "--class");
  ASSERT_EQ(classes.size(), 2U);
  EXPECT_EQ(classes[0].name, "live");
  EXPECT_DOUBLE_EQ(classes[0].share, 0.9);
  EXPECT_EQ(classes[0].slo, 5ms);
  EXPECT_EQ(classes[1].name, "batch-2");
  EXPECT_DOUBLE_EQ(classes[1].share, 0.1);
  EXPECT_EQ(classes[1].slo, Nanos(0));
  EXPECT_TRUE(parse_classes({}, "--class").empty());
}

TEST(RequestClasses, NameTheClassAndTheRemedy) {
  const struct {
    std::vector<std::string> texts;
    const char* part;
  } wrong[] = {
      {{"live:share=0.9"}, "add up to 0.9"},
      {{"live:share=0.5", "live:share=0.5"}, "twice"},
      {{"live"}, "share of the requests is missing"},
      {{"live:share=0"}, "above 0"},
      {{"live:share=200%"}, "at most 1"},
      {{"live:share=1,slo=p99<10xS"}, "should be a time"},
      {{"live:share=1,slo=5ms"}, "SLO"},
      {{"live:share=1,sloo=p99<5ms"}, "did you mean 'slo'"},
      {{"li ve:share=1"}, "letters, digits"},
      {std::vector<std::string>(kMostClasses + 1, "a:share=0.1"), "at most 16"},
  };
  for (const auto& [texts, part] : wrong) {
    const std::string message = complaint(texts);
    EXPECT_NE(message.find("--class"), std::string::npos) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace precipice
