#include "harness/trial/trace_file.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <sstream>
#include <string>

#include "harness/text_encoding.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

using namespace std::string_literals;

std::vector<double> times_of(const std::string& text) {
  std::istringstream lines(text);
  return parse_trace(lines, "t");
}

void expect_refused(const std::string& text, std::initializer_list<const char*> parts) {
  try {
    times_of(text);
    ADD_FAILURE() << "was read: " << printable_ascii(text);
  } catch (const UsageError& error) {
    const std::string message = error.what();
    for (const char* part : parts)
      EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' is not in: " << message;
    for (const unsigned char c : message) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << int{c};
  }
}

TEST(TraceFile, ReadsOverMarksBlanksCommentsAndEveryLineEnd) {
  const std::vector<double> expected = {0, 0.5, 2};
  for (const std::string& text :
       {"0\n0.5\n2\n"s,
        "\xef\xbb\xbf"
        "0\r\n0.5\r\n2"s,
        "\t0 \n 0.5\t\n\n   \n2 \v\f\n"s, "# seconds\n0 # the first\n  # nothing\n0.5\n2"s,
        "0\r0.5\r2\r"s, "10\n10.5\n12\n"s, "+0\n+.5\n2.\n"s, "-3\n-25e-1\n-1\n"s})
    EXPECT_EQ(times_of(text), expected) << printable_ascii(text);
}

TEST(TraceFile, ShowsWhatStandsThereAndSaysWhatMayBeMeant) {
  expect_refused("time\n0\n1\n", {"t:1: 'time' is not a number", "a header?"});
  expect_refused("0\ntime\n1\n", {"t:2: 'time' is not a number", "as in 0.25"});
  expect_refused("0,5\n1,5\n", {"t:1: '0,5'", "decimal comma?"});
  expect_refused("0.5,GET\n", {"t:1: '0.5,GET'", "several columns?"});
  expect_refused("0.5 12\n", {"t:1: '0.5 12'", "several columns?"});
  expect_refused(
      "0\n\xef\xbb\xbf"
      "1\n",
      {"t:2: '\\ufeff1'"});
  expect_refused("0\n\x1b[31m1\n", {"t:2: '\\u001b[31m1'"});
  expect_refused("0\n1\xff\n", {"t:2: '1\\xff'"});
  expect_refused("0\r\n1\r\nx\r\n", {"t:3: 'x'"});
  expect_refused("0\r1\rx\r", {"t:3: 'x'"});
  expect_refused("nan\n", {"'nan' is not a number"});
  expect_refused("1e999\n", {"'1e999' is not a number"});
  expect_refused("0\n" + std::string(5000, 'x'), {"xxx...'"});
  expect_refused(
      "\xff\xfe"
      "0\0\n\0"s,
      {"is UTF-16", "UTF-8"});
  expect_refused("0\0\n\0"s, {"zero bytes: UTF-16", "UTF-8"});
}

TEST(TraceFile, NeedsTwoTimesThatAscendAndAreNotAllEqual) {
  expect_refused("5\n5\n5\n", {"all 3 times", "are equal (5)"});
  expect_refused("", {"no arrival time"});
  expect_refused("# nothing\n", {"no arrival time"});
  expect_refused("7\n", {"one arrival time", "two at least"});
  expect_refused("1.5\n0.5\n", {"t:2:", "ascend", "0.5 comes after 1.5"});
  expect_refused("-1e308\n1e308\n", {"no mean rate"});
  expect_refused("0\n5e-324\n", {"no mean rate"});
}

TEST(TextEncoding, FindsTheFirstByteThatIsNoUtf8) {
  EXPECT_EQ(first_not_utf8("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), std::string_view::npos);
  for (const char* text : {"ab\xe9", "ab\xc0\xaf", "ab\xe0\x80\x80", "ab\xed\xa0\x80",
                           "ab\xf4\x90\x80\x80", "ab\xe2\x82", "ab\x80", "ab\xff"})
    EXPECT_EQ(first_not_utf8(text), 2u) << printable_ascii(text);
}

}  // namespace
}  // namespace precipice
