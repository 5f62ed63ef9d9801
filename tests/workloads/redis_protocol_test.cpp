#include "workloads/redis_protocol.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace precipice {
namespace {

using Kind = RedisReply::Kind;

RedisReply parse(std::string_view text) {
  return parse_redis_reply(std::as_bytes(std::span(text)));
}

std::string content(const RedisReply& reply) {
  return {reinterpret_cast<const char*>(reply.content.data()), reply.content.size()};
}

TEST(RedisProtocol, WritesCommandsAsArraysOfBulkStrings) {
  EXPECT_EQ(redis_command({"GET", "precipice:1"}), "*2\r\n$3\r\nGET\r\n$11\r\nprecipice:1\r\n");
  EXPECT_EQ(redis_set_head("k", 5) + "value\r\n", redis_command({"SET", "k", "value"}));
}

TEST(RedisProtocol, ReadsEveryKindOfReplyWithWhatFollowsIt) {
  const RedisReply status = parse("+OK\r\n$3\r\n");
  EXPECT_EQ(status.kind, Kind::status);
  EXPECT_EQ(content(status), "OK");
  EXPECT_EQ(status.bytes, 5U);
  const RedisReply value = parse("$5\r\nab\r\nc\r\n+OK\r\n");
  EXPECT_EQ(value.kind, Kind::value);
  EXPECT_EQ(content(value), "ab\r\nc");
  EXPECT_EQ(value.bytes, 11U);
  const RedisReply empty = parse("$0\r\n\r\n");
  EXPECT_EQ(empty.kind, Kind::value);
  EXPECT_EQ(empty.bytes, 6U);
  const RedisReply none = parse("$-1\r\n");
  EXPECT_EQ(none.kind, Kind::none);
  EXPECT_EQ(none.bytes, 5U);
  const RedisReply error = parse("-LOADING not yet\r\n");
  EXPECT_EQ(error.kind, Kind::error);
  EXPECT_EQ(content(error), "LOADING not yet");
  EXPECT_EQ(error.bytes, 18U);
}

TEST(RedisProtocol, IsIncompleteWhereverAReplyIsCut) {
  for (const std::string_view whole :
       {"+OK\r\n", "$12\r\nabcdefghijkl\r\n", "$-1\r\n", "-ERR x\r\n"}) {
    for (std::size_t at = 0; at < whole.size(); ++at)
      EXPECT_EQ(parse(whole.substr(0, at)).kind, Kind::incomplete) << whole << " cut at " << at;
    EXPECT_NE(parse(whole).kind, Kind::incomplete);
  }
}

TEST(RedisProtocol, RefusesWhatGetAndSetAreNotAnsweredWith) {
  constexpr std::string_view kBeginsWithNull("\0\r\n", 3);
  for (const std::string_view text : std::initializer_list<std::string_view>{
           ":1\r\n", "*0\r\n", "HTTP/1.1 400\r\n", "$\r\n", "$x\r\n", "$1x\r\n", "$-2\r\n",
           "$ 1\r\n", "$3\r\nabcd\r\n", "$99999999999999999999\r\n", "$536870913\r\n", "\r\n",
           kBeginsWithNull})
    EXPECT_EQ(parse(text).kind, Kind::malformed) << text;
}

}  // namespace
}  // namespace precipice
