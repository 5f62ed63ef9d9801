#include "harness/drive/request_text.hpp"

#include <gtest/gtest.h>

#include <string>

#include "models/options.hpp"

namespace precipice {
namespace {

RequestText text_of(const Target& target) {
  return RequestText(target, parse_url(target.url, "url"));
}

Target target_at(const std::string& url) {
  Target target;
  target.name = "t";
  target.url = url;
  return target;
}

TEST(RequestText, IsAWholeRequest) {
  EXPECT_EQ(text_of(target_at("http://h:81/a?b")).of(7), "GET /a?b HTTP/1.1\r\nHost: h:81\r\n\r\n");
  Target post = target_at("http://h/");
  post.method = "POST";
  post.headers = {"A:  b ", "C:"};
  post.body = "xyz";
  EXPECT_EQ(text_of(post).of(7),
            "POST / HTTP/1.1\r\nHost: h\r\nA: b \r\nC: \r\nContent-Length: 3\r\n\r\nxyz");
  Target empty = target_at("http://h/");
  empty.method = "PUT";
  EXPECT_NE(text_of(empty).of(7).find("Content-Length: 0\r\n"), std::string::npos);
}

TEST(RequestText, PutsTheSeedIn) {
  RequestText text = text_of(target_at("http://h/w?s={seed}&t"));
  EXPECT_EQ(text.of(4095), "GET /w?s=4095&t HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(text.of(0), "GET /w?s=0&t HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THROW(text_of(target_at("http://h/{seed}{seed}")), UsageError);
}

TEST(RequestText, ClosesWhereEachRequestHasAConnection) {
  Target target = target_at("http://h/");
  target.connection_per_request = true;
  EXPECT_NE(text_of(target).of(0).find("Connection: close\r\n"), std::string::npos);
}

TEST(RequestText, KnowsHead) {
  Target target = target_at("http://h/");
  EXPECT_FALSE(text_of(target).is_head());
  target.method = "HEAD";
  EXPECT_TRUE(text_of(target).is_head());
}

TEST(RequestText, RefusesWhatWouldBreakTheRequest) {
  for (const char* header :
       {"no colon", ": x", "a b: x", "A: b\r\nC: d", "A: b\n", "Content-Length: 3",
        "transfer-encoding: chunked", "Connection: close", "Expect: 100-continue"}) {
    Target target = target_at("http://h/");
    target.headers = {header};
    EXPECT_THROW(text_of(target), UsageError) << header;
  }
  for (const char* method : {"", "GET /", "CONNECT", "G\r\n"}) {
    Target target = target_at("http://h/");
    target.method = method;
    EXPECT_THROW(text_of(target), UsageError) << method;
  }
}

}  // namespace
}  // namespace precipice
