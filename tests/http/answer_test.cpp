#include "harness/http/answer.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "harness/http/http_date.hpp"

namespace precipice::http {
namespace {

std::string written(const Answer& answer) {
  ByteBuffer out;
  append_answer(out, answer);
  return std::regex_replace(std::string(out.view()), std::regex("Date: [^\r]*"), "Date: now");
}

TEST(Answer, HasItsFieldsInTheOrderOfNginx) {
  EXPECT_EQ(written({.body = "hello"}),
            "HTTP/1.1 200 OK\r\nServer: precipice\r\nDate: now\r\nContent-Type: text/plain\r\n"
            "Content-Length: 5\r\n\r\nhello");
  EXPECT_EQ(
      written({.status = Status::method_not_allowed,
               .content_type = "a/b",
               .body = "no\n",
               .fields = "Allow: GET\r\n",
               .close = true}),
      "HTTP/1.1 405 Method Not Allowed\r\nServer: precipice\r\nDate: now\r\n"
      "Content-Type: a/b\r\nContent-Length: 3\r\nConnection: close\r\nAllow: GET\r\n\r\nno\n");
}

TEST(Answer, ToHeadHasTheLengthWithoutTheBody) {
  const std::string text = written({.body = "hello", .to_head = true, .keep_alive = true});
  EXPECT_TRUE(text.ends_with("Content-Length: 5\r\nConnection: keep-alive\r\n\r\n")) << text;
}

TEST(HttpDate, HasTheFormOfTheStandard) {
  const auto text = [](std::time_t at) {
    const auto date = format_date(at);
    return std::string(date.data(), date.size());
  };
  EXPECT_EQ(text(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");  // of RFC 9110
  EXPECT_EQ(text(951868799), "Tue, 29 Feb 2000 23:59:59 GMT");
  EXPECT_EQ(http_date().size(), kDateBytes);
}

TEST(ByteBuffer, KeepsItsBytesWhenItGrowsAndMoves) {
  ByteBuffer buffer;
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    const std::string piece(static_cast<std::size_t>(i % 17), static_cast<char>('a' + i % 26));
    buffer.append(piece);
    expected += piece;
    if (i % 3 == 0 && expected.size() > 10) {
      buffer.consume(10);
      expected.erase(0, 10);
    }
    ASSERT_EQ(buffer.view(), expected);
  }
  buffer.consume(buffer.size());
  EXPECT_TRUE(buffer.empty());
  buffer.release();
  EXPECT_EQ(buffer.capacity(), 0U);
}

}  // namespace
}  // namespace precipice::http
