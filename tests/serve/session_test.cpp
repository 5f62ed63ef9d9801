// One connection's HTTP without its socket: what is answered does not depend on where the bytes are
// cut.
#include "harness/serve/session.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "harness/http/answer.hpp"
#include "tests/support/http_conversation.hpp"

namespace precipice::serve {
namespace {

using testing::Conversation;
using Want = Session::Want;

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

TEST(Session, AnswersEachResource) {
  Conversation peer;
  peer.send(get("/plain") + get("/work?seed=41") + get("/health") + get("/metrics"));
  peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_EQ(peer.statuses(), (std::vector<int>{200, 200, 200, 200, 200}));
  for (const char* body : {"\r\n\r\nHello, world!", "\r\n\r\n0000000000abc029\n", "\r\n\r\nok\n",
                           "\r\n\r\nfigures\n", "\r\n\r\nbody"})
    EXPECT_NE(peer.text().find(body), std::string::npos) << body;
  EXPECT_EQ(peer.host_.begun_, 5);
  EXPECT_EQ(peer.host_.ended_, 5);
  EXPECT_EQ(peer.want_, Want::input);
}

TEST(Session, AnswersAlikeWhereverTheBytesAreCut) {
  const std::string requests = get("/plain") + "\r\n" + get("/work?seed=3") +
                               "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                               "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n"
                               "0\r\nT: u\r\n\r\n" +
                               "HEAD /plain HTTP/1.1\r\nHost: a\r\n\r\n" + get("/nothing") +
                               "PUT /plain HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz" +
                               get("/plain", "Connection: close\r\n");
  Conversation whole;
  whole.send(requests);
  EXPECT_EQ(whole.statuses(), (std::vector<int>{200, 200, 200, 200, 404, 405, 200}));
  EXPECT_TRUE(whole.closed());
  for (std::size_t cut = 1; cut < requests.size(); ++cut) {
    Conversation peer;
    peer.send(requests.substr(0, cut));
    peer.send(requests.substr(cut));
    ASSERT_EQ(peer.text(), whole.text()) << "cut at " << cut;
    ASSERT_EQ(peer.statuses(), whole.statuses()) << "cut at " << cut;
  }
  Conversation slow;
  for (const char c : requests) slow.send({&c, 1});
  EXPECT_EQ(slow.text(), whole.text());
}

TEST(Session, SendsTheAnswersToPipelinedRequestsTogether) {
  Conversation peer;
  peer.send(get("/plain") + get("/plain") + get("/plain") + get("/health"));
  EXPECT_EQ(peer.statuses().size(), 4U);
  EXPECT_EQ(peer.writes_, 1);
}

TEST(Session, ReadsNothingAfterARefusal) {
  Conversation peer;
  peer.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n" +
            get("/plain"));
  EXPECT_EQ(peer.statuses(), (std::vector<int>{400}));
  EXPECT_EQ(peer.want_, Want::drop);
  EXPECT_NE(peer.text().find("Connection: close"), std::string::npos);
}

TEST(Session, NeverTakesABodyForARequest) {
  Conversation peer;
  const std::string inner = get("/work?seed=1");
  peer.send("PUT /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(inner.size()) +
            "\r\n\r\n" + inner + get("/plain"));
  EXPECT_EQ(peer.statuses(), (std::vector<int>{405, 200}));
  EXPECT_EQ(peer.text().find("abc"), std::string::npos);
}

TEST(Session, AsksForTheBodyThatAClientHoldsBack) {
  Conversation peer;
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  peer.send(head);
  EXPECT_EQ(peer.text_, http::kContinue);
  peer.send("hi");
  EXPECT_EQ(peer.statuses(), (std::vector<int>{200}));
  peer.send(head + "hi");
  EXPECT_EQ(peer.statuses().size(), 2U);
  EXPECT_EQ(peer.text_.find("100 Continue", 12), std::string::npos) << "it came unasked";
}

TEST(Session, DoesNotAskForABodyThatItRefuses) {
  Conversation peer({.head = {}, .body = {.content_bytes = 5}});
  peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n");
  EXPECT_EQ(peer.statuses(), (std::vector<int>{413}));
  EXPECT_TRUE(peer.closed());
  Conversation other;
  other.send("PUT /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n");
  EXPECT_EQ(other.statuses(), (std::vector<int>{405}));
  EXPECT_TRUE(other.closed()) << "the client may send the body or not";
}

TEST(Session, TellsAnUnfinishedRequestThatItsTimeIsOver) {
  Conversation head;
  head.send("GET /plain HT");
  EXPECT_EQ(head.session_.phase(), Phase::head);
  head.end(true);
  EXPECT_EQ(head.statuses(), (std::vector<int>{408}));
  Conversation body;
  body.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
  EXPECT_EQ(body.session_.phase(), Phase::body);
  body.end(true);
  EXPECT_EQ(body.statuses(), (std::vector<int>{408}));
  EXPECT_EQ(body.host_.ended_, 1);
  Conversation idle;
  idle.send(get("/plain"));
  EXPECT_EQ(idle.session_.phase(), Phase::idle);
  idle.end(true);
  EXPECT_EQ(idle.statuses(), (std::vector<int>{200})) << "an idle one is closed without a word";
}

TEST(Session, CountsARequestThatItsPeerLeaves) {
  Conversation peer;
  peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
  peer.end();
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(peer.text(), "");
  EXPECT_EQ(peer.host_.begun_, 1);
  EXPECT_EQ(peer.host_.ended_, 1);
}

TEST(Session, ClosesAfterTheAnswerWhileTheServerEnds) {
  Conversation peer;
  peer.host_.ending_ = true;
  peer.send(get("/plain"));
  EXPECT_TRUE(peer.closed());
  EXPECT_NE(peer.text().find("Connection: close"), std::string::npos);
}

TEST(Session, KeepsAClientOfTheOldVersionOnlyWhenItAsks) {
  Conversation asks;
  asks.send("GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(asks.text().find("Connection: keep-alive"), std::string::npos);
  EXPECT_FALSE(asks.closed());
  Conversation other;
  other.send("GET /plain HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(other.closed());
}

TEST(Session, RefusesSeedsThatNoWorkloadHas) {
  Conversation peer;
  peer.send(get("/work?seed=4096") + get("/work?seed=x") + get("/work"));
  EXPECT_EQ(peer.statuses(), (std::vector<int>{400, 400, 200}));
}

TEST(Session, EchoesABodyUpToItsLimit) {
  Conversation peer({.head = {}, .body = {.content_bytes = 100'000}});
  std::string body(100'000, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i % 251);
  peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + body);
  EXPECT_TRUE(peer.text_.ends_with("\r\n\r\n" + body));
}

}  // namespace
}  // namespace precipice::serve
