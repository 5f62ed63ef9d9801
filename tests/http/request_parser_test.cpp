// Heads of requests, whole and cut at every byte.
#include "harness/http/request_parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace precipice::http {
namespace {

using Result = RequestParser::Result;

RequestParser parsed(std::string_view bytes, const HeadLimits& limits = {}) {
  RequestParser parser;
  parser.parse(bytes, limits);
  return parser;
}

Status refusal(const std::string& bytes, const HeadLimits& limits = {}) {
  RequestParser parser;
  EXPECT_EQ(parser.parse(bytes, limits), Result::refused) << bytes;
  return parser.status();
}

std::string with_fields(const std::string& fields) {
  return "POST /echo HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

TEST(RequestParser, ReadsAHead) {
  const std::string bytes =
      "POST /work?seed=7 HTTP/1.1\r\nHost: a.example:80\r\nContent-LENGTH: \t042 \r\nX: "
      "y\r\n\r\nbody";
  const RequestParser parser = parsed(bytes);
  EXPECT_EQ(parser.consumed(), bytes.size() - 4);
  EXPECT_EQ(parser.head().method, Method::post);
  EXPECT_EQ(parser.head().target(bytes), "/work?seed=7");
  EXPECT_EQ(parser.head().content_length, 42U);
  EXPECT_EQ(parser.head().minor_version, 1);
  EXPECT_FALSE(parser.head().chunked);
  EXPECT_TRUE(parser.head().keep_alive);
}

// Each byte a call of its own, and each place the end of a first call, must come to the same end.
TEST(RequestParser, ComesToTheSameEndWhereverTheBytesAreCut) {
  const std::vector<std::string> heads = {
      "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n",
      "\r\n\r\nHEAD http://h/p?q HTTP/1.0\r\nConnection: a, keep-alive\r\n\r\n",
      with_fields("Transfer-Encoding: gzip, chunked\r\nExpect: 100-continue\r\n"),
      with_fields("Content-Length: 1\r\nContent-Length: 1\r\n"),
      "GET / HTTP/1.1\nHost: a\n\n",
      "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
      "FROB / HTTP/1.1\r\nHost: a\r\n\r\n",
      with_fields("Name: a\rb\r\n"),
  };
  for (const std::string& head : heads) {
    RequestParser whole;
    const Result expected = whole.parse(head, {});
    for (std::size_t cut = 0; cut <= head.size(); ++cut) {
      RequestParser parser;
      Result result = parser.parse(head.substr(0, cut), {});
      if (result == Result::more) result = parser.parse(head, {});
      ASSERT_EQ(result, expected) << head << " cut at " << cut;
      EXPECT_EQ(parser.status(), whole.status());
      EXPECT_STREQ(parser.reason(), whole.reason());
      EXPECT_EQ(parser.head().target_bytes, whole.head().target_bytes);
      EXPECT_EQ(parser.head().keep_alive, whole.head().keep_alive);
    }
    RequestParser parser;
    Result result = Result::more;
    for (std::size_t end = 1; end <= head.size() && result == Result::more; ++end)
      result = parser.parse(head.substr(0, end), {});
    EXPECT_EQ(result, expected) << head;
    if (expected == Result::complete) {
      EXPECT_EQ(parser.consumed(), head.size());
    }
  }
}

TEST(RequestParser, RefusesAtTheFirstByteThatCannotBeRight) {
  EXPECT_EQ(refusal("\x16\x03\x01"), Status::bad_request);  // a client that speaks TLS
  EXPECT_EQ(refusal("get"), Status::bad_request);
  EXPECT_EQ(refusal("\n"), Status::bad_request);
  EXPECT_EQ(refusal("GET  "), Status::bad_request);
  EXPECT_EQ(refusal("GET /a\x80"), Status::bad_request);
  EXPECT_EQ(refusal("GET /a\t"), Status::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1 "), Status::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1\n"), Status::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n "), Status::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost : a"), Status::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n:"), Status::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nA: b\n"), Status::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nA: b\rc"), Status::bad_request);
  EXPECT_EQ(refusal(std::string("GET / HTTP/1.1\r\nA: \0", 20)), Status::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nA: b\r\n c\r\n"), Status::bad_request) << "a folded line";
}

TEST(RequestParser, RefusesWhatTwoParsersCouldReadDifferently) {
  for (const char* fields :
       {"Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: 1, 1\r\n",
        "Content-Length: +1\r\n", "Content-Length: 0x1\r\n", "Content-Length:\r\n",
        "Content-Length: 9223372036854775808\r\n", "Content-Length: 1 1\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: chunked;a=b\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \xa0"
        "chunked\r\n",
        "Transfer-Encoding:\r\n", "Transfer-Encoding: ,chunked\r\n", "Host: a\r\n"}) {
    EXPECT_EQ(refusal(with_fields(fields)), Status::bad_request) << fields;
  }
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), Status::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), Status::bad_request) << "no Host";
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), Status::bad_request);
}

TEST(RequestParser, KnowsWhatItDoesNotDo) {
  EXPECT_EQ(refusal("GET / HTTP/2.0"), Status::version_not_supported);
  EXPECT_EQ(refusal("PRI * HTTP/2.0\r\n"), Status::version_not_supported);
  EXPECT_EQ(refusal("FROB "), Status::not_implemented);
  EXPECT_EQ(refusal(with_fields("Transfer-Encoding: br, chunked\r\n")), Status::not_implemented);
  EXPECT_EQ(refusal(with_fields("Expect: 200-ok\r\n")), Status::expectation_failed);
  EXPECT_EQ(parsed("M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n").head().method, Method::other);
}

TEST(RequestParser, BoundsTheHeadAndTheTarget) {
  const HeadLimits limits{.head_bytes = 200, .target_bytes = 50};
  EXPECT_EQ(refusal("GET /" + std::string(50, 'a') + " HTTP/1.1\r\n", limits),
            Status::uri_too_long);
  EXPECT_EQ(refusal("GET /" + std::string(50, 'a'), limits), Status::uri_too_long);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nA: " + std::string(200, 'a'), limits),
            Status::header_fields_too_large);
  EXPECT_EQ(refusal(std::string(300, 'A'), limits), Status::uri_too_long);
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nA: ";
  const std::string fits = start + std::string(200 - start.size() - 4, 'a') + "\r\n\r\n";
  RequestParser parser;
  EXPECT_EQ(parser.parse(fits, limits), Result::complete);
  EXPECT_EQ(refusal(start + std::string(201 - start.size() - 4, 'a') + "\r\n\r\n", limits),
            Status::header_fields_too_large);
}

TEST(RequestParser, KeepsTheConnectionAsTheVersionAndTheClientSay) {
  const auto keeps = [](const std::string& version, const std::string& fields) {
    return parsed("GET / HTTP/" + version + "\r\nHost: a\r\n" + fields + "\r\n").head().keep_alive;
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_TRUE(keeps("1.7", "")) << "a later version of the same kind";
  EXPECT_FALSE(keeps("1.1", "Connection: x,\tClose\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(keeps("1.0", "Connection: keep-alive\r\nConnection: close\r\n"));
}

TEST(RequestParser, HasBegunOnlyAfterEmptyLines) {
  RequestParser parser;
  EXPECT_FALSE(parser.begun());
  parser.parse("\r\n", {});
  EXPECT_FALSE(parser.begun());
  parser.parse("\r\nG", {});
  EXPECT_TRUE(parser.begun());
  parser.reset();
  EXPECT_FALSE(parser.begun());
}

}  // namespace
}  // namespace precipice::http
