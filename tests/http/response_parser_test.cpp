#include "harness/http/response_parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace precipice {
namespace {

struct Read {
  bool done = false, failed = false, keeps_alive = false, right = false;
  int status = 0;
  std::size_t taken = 0, body = 0;
  std::string problem;
};

/// The bytes in pieces that end at `cuts`.
Read read_in(std::string_view bytes, const std::vector<std::size_t>& cuts, bool closes = false,
             bool to_head = false, const std::string* expected = nullptr) {
  ResponseParser parser;
  parser.begin(to_head, expected);
  Read read;
  std::size_t from = 0;
  const auto feed = [&](std::size_t to) {
    // Each piece is in memory of its own, so that a look beyond it is seen.
    const std::string piece(bytes.substr(from, to - from));
    if (!parser.done() && !parser.failed()) read.taken += parser.take(piece);
    from = to;
  };
  for (const std::size_t cut : cuts) feed(cut);
  feed(bytes.size());
  if (closes) parser.end_of_stream();
  read.done = parser.done();
  read.failed = parser.failed();
  read.keeps_alive = parser.keeps_alive();
  read.right = parser.body().right();
  read.status = parser.status();
  read.body = parser.body().size();
  read.problem = parser.problem() == nullptr ? "" : parser.problem();
  return read;
}

Read read_whole(std::string_view bytes, bool closes = false, bool to_head = false,
                const std::string* expected = nullptr) {
  return read_in(bytes, {}, closes, to_head, expected);
}

TEST(ResponseParser, ReadsASizedBody) {
  const std::string body = "hello";
  const Read read = read_whole("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello",
                               false, false, &body);
  EXPECT_TRUE(read.done) << read.problem;
  EXPECT_TRUE(read.keeps_alive);
  EXPECT_TRUE(read.right);
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.body, 5U);
}

TEST(ResponseParser, ReadsChunksExtensionsAndTrailers) {
  const std::string body = "hello world!";
  const Read read = read_whole(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
      "5;name=\"va \\\"lue\" ; a = b\r\nhello\r\n7 ; x\r\n world!\r\n0\r\nContent-Length: "
      "99\r\n\r\n",
      false, false, &body);
  EXPECT_TRUE(read.done) << read.problem;
  EXPECT_TRUE(read.right);
  EXPECT_EQ(read.body, 12U);
}

TEST(ResponseParser, EndsABodyWithoutASizeWhenThePeerCloses) {
  const Read open = read_whole("HTTP/1.1 200 OK\r\n\r\nabc");
  EXPECT_FALSE(open.done);
  EXPECT_FALSE(open.failed);
  const Read closed = read_whole("HTTP/1.1 200 OK\r\n\r\nabc", true);
  EXPECT_TRUE(closed.done);
  EXPECT_FALSE(closed.keeps_alive);
  EXPECT_EQ(closed.body, 3U);
}

TEST(ResponseParser, FailsWhereThePeerClosesTooSoon) {
  for (const char* part :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"}) {
    const Read read = read_whole(part, true);
    EXPECT_TRUE(read.failed) << part;
    EXPECT_NE(read.problem.find("closed"), std::string::npos) << read.problem;
  }
}

TEST(ResponseParser, HasNoBodyWhereNoneCanBe) {
  const Read to_head = read_whole("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", false, true);
  EXPECT_TRUE(to_head.done);
  EXPECT_TRUE(to_head.keeps_alive);
  for (const char* status : {"204 No Content", "304 Not Modified"}) {
    EXPECT_TRUE(
        read_whole(std::string("HTTP/1.1 ") + status + "\r\nContent-Length: 5\r\n\r\n").done);
  }
}

TEST(ResponseParser, PassesOverInterimResponses) {
  const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  const std::string final = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  const Read read = read_whole(interim + "HTTP/1.1 100 Continue\r\n\r\n" + final);
  EXPECT_TRUE(read.done) << read.problem;
  EXPECT_EQ(read.status, 200);
  std::string endless;
  for (int i = 0; i <= ResponseParser::kMostInterim; ++i) endless += interim;
  EXPECT_TRUE(read_whole(endless + final).failed);
}

TEST(ResponseParser, TellsWhetherTheConnectionGoesOn) {
  const auto keeps = [](const std::string& version, const std::string& fields) {
    return read_whole(version + " 200 OK\r\nContent-Length: 0\r\n" + fields + "\r\n").keeps_alive;
  };
  EXPECT_TRUE(keeps("HTTP/1.1", ""));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: Keep-Alive, CLOSE\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0", ""));
  EXPECT_TRUE(keeps("HTTP/1.0", "connection: keep-alive\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0", "Connection: keep-alive\r\nConnection: close\r\n"));
}

TEST(ResponseParser, TakesNothingOfTheNextResponse) {
  const std::string first = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  const Read read = read_whole(first + "HTTP/1.1 500 X\r\n");
  EXPECT_TRUE(read.done);
  EXPECT_EQ(read.taken, first.size());
  EXPECT_EQ(read.status, 200);
}

TEST(ResponseParser, SeesEveryWrongBody) {
  const std::string expected = "abcdef";
  const auto right = [&](const std::string& body) {
    return read_whole("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                          "\r\n\r\n" + body,
                      false, false, &expected)
        .right;
  };
  EXPECT_TRUE(right("abcdef"));
  for (const char* wrong : {"abcdeX", "Xbcdef", "abcde", "abcdefg", ""}) EXPECT_FALSE(right(wrong));
}

TEST(ResponseParser, RefusesWhatCouldBeReadInTwoWays) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const std::string& wrong : std::vector<std::string>{
           "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
           ok + "Content-Length: 0\n\r\n",
           ok + "A: b\rc\r\n\r\n",
           ok + "A: b\r\n folded\r\nContent-Length: 0\r\n\r\n",
           ok + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
           ok + "Content-Length: 5, 5\r\n\r\nhello",
           ok + "Content-Length: +5\r\n\r\nhello",
           ok + "Content-Length: 0x5\r\n\r\nhello",
           ok + "Content-Length: \r\n\r\n",
           ok + "Content-Length: 99999999999999999999\r\n\r\n",
           ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           ok + "Transfer-Encoding: chunked, gzip\r\n\r\n",
           ok + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
           ok + "Transfer-Encoding: chunked\r\n\r\n\r\n",
           ok + "Transfer-Encoding: chunked\r\n\r\n5 hello\r\n",
           ok + "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
           ok + "Transfer-Encoding: chunked\r\n\r\n5;a\x01\r\nhello\r\n",
           ok + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n",
           ok + "Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n",
           ok + "Transfer-Encoding: chunked\r\n\r\n5;\r\nhello\r\n",
           ok + "Transfer-Encoding: chunked\r\n\r\n5;a=\r\nhello\r\n",
           ok + "Transfer-Encoding: chunked\r\n\r\n5;a=\"b\r\nhello\r\n",
           ok + "Transfer-Encoding: chunked\r\n\r\n5;a=\"b\\\"\r\nhello\r\n",
           ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n",
           ok + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
           ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n",
           ok + "No-Colon\r\n\r\n",
           ok + ": nameless\r\n\r\n",
           ok + "Spaced : x\r\n\r\n",
           ok + std::string("Nul: a\0b\r\n\r\n", 13),
           "HTTP/2.0 200 OK\r\n\r\n",
           "HTTP/1.2 200 OK\r\n\r\n",
           "http/1.1 200 OK\r\n\r\n",
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 2000 OK\r\n\r\n",
           "HTTP/1.1  200 OK\r\n\r\n",
           "HTTP/1.1 099 OK\r\n\r\n",
           "\r\nHTTP/1.1 200 OK\r\n\r\n",
           "HTTP/1.1 101 Switching Protocols\r\n\r\n",
           "ICY 200 OK\r\n\r\n"}) {
    const Read read = read_whole(wrong);
    EXPECT_TRUE(read.failed) << wrong;
    EXPECT_FALSE(read.problem.empty()) << wrong;
  }
}

TEST(ResponseParser, TakesWhatIsUnusualAndClear) {
  const std::string end = "\r\nContent-Length: 0\r\n\r\n";
  for (const std::string& right : std::vector<std::string>{
           "HTTP/1.1 200" + end, "HTTP/1.1 200 " + end, "HTTP/1.1 200 \xc3\xbc\t" + end,
           "HTTP/1.1 599 X" + end,
           "HTTP/1.1 200 OK\r\nEmpty:\r\nX:\ty \r\n!#$%&'*+-.^_`|~9: z" + end}) {
    EXPECT_TRUE(read_whole(right).done) << right << read_whole(right).problem;
  }
}

TEST(ResponseParser, BoundsWhatItKeeps) {
  const std::string start = "HTTP/1.1 200 OK\r\n";
  const std::string filler(ResponseParser::kMostHeader, 'a');
  EXPECT_TRUE(read_whole(start + "A: " + filler).failed);
  std::string many = start;
  while (many.size() <= ResponseParser::kMostHeader) many += "A: b\r\n";
  EXPECT_TRUE(read_whole(many).failed);
  const std::string chunked = start + "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_TRUE(read_whole(chunked + "1;" + std::string(ResponseParser::kMostChunkLine, 'x')).failed);
  EXPECT_TRUE(
      read_whole(chunked + "0\r\nA: " + std::string(ResponseParser::kMostTrailers, 'x')).failed);
}

/// Cut at every two positions, each piece in memory of its own: the same is read.
TEST(ResponseParser, ReadsTheSameInWhateverPieces) {
  const std::string expected = "hello world!";
  const std::vector<std::string> all = {
      "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello world!",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;e\r\nhello\r\n7\r\n world!\r\n0\r\nT: u\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\nX\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n"};
  for (const std::string& bytes : all) {
    const Read whole = read_in(bytes, {}, true, false, &expected);
    for (std::size_t first = 0; first <= bytes.size(); ++first) {
      for (std::size_t second = first; second <= bytes.size(); ++second) {
        const Read cut = read_in(bytes, {first, second}, true, false, &expected);
        ASSERT_EQ(cut.done, whole.done) << bytes << first << ' ' << second;
        ASSERT_EQ(cut.problem, whole.problem) << bytes << first << ' ' << second;
        ASSERT_EQ(cut.status, whole.status);
        ASSERT_EQ(cut.keeps_alive, whole.keeps_alive);
        ASSERT_EQ(cut.body, whole.body);
        ASSERT_EQ(cut.right, whole.right);
      }
    }
  }
}

TEST(ResponseParser, BeginsAnewForEachResponse) {
  ResponseParser parser;
  for (int i = 0; i < 3; ++i) {
    parser.begin(false, nullptr);
    EXPECT_FALSE(parser.done());
    EXPECT_FALSE(parser.begun());
    const std::string bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
    EXPECT_EQ(parser.take(bytes), bytes.size());
    EXPECT_TRUE(parser.done());
    EXPECT_EQ(parser.body().size(), 3U);
  }
  parser.begin(false, nullptr);
  parser.take("garbage\r\n");
  EXPECT_TRUE(parser.failed());
}

}  // namespace
}  // namespace precipice
