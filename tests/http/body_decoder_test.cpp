// Bodies, counted and chunked, whole and cut at every byte.
#include "harness/http/body_decoder.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace precipice::http {
namespace {

using Result = BodyDecoder::Result;

struct Decoded {
  Result result = Result::more;
  std::string content;
  std::size_t consumed = 0;
  Status status = Status::ok;
  bool operator==(const Decoded&) const = default;
};

RequestHead head_of(bool chunked, std::uint64_t length) {
  RequestHead head;
  head.chunked = chunked;
  head.content_length = length;
  return head;
}

// In two pieces, the second one with whatever the first left.
Decoded decode(const RequestHead& head, std::string_view bytes, std::size_t cut,
               const BodyLimits& limits = {}) {
  BodyDecoder decoder;
  decoder.begin(head);
  Decoded decoded;
  for (std::size_t end : {cut, bytes.size()}) {
    for (;;) {
      const BodyDecoder::Step step =
          decoder.next(bytes.substr(decoded.consumed, end - decoded.consumed), limits);
      decoded.result = step.result;
      decoded.consumed += step.consumed;
      decoded.content += step.content;
      if (step.result != Result::content) break;
    }
    if (decoded.result != Result::more) break;
  }
  decoded.status = decoder.status();
  return decoded;
}

Decoded decode_everywhere(bool chunked, std::uint64_t length, std::string_view bytes,
                          const BodyLimits& limits = {}) {
  const RequestHead head = head_of(chunked, length);
  const Decoded whole = decode(head, bytes, bytes.size(), limits);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const Decoded other = decode(head, bytes, cut, limits);
    EXPECT_TRUE(other == whole) << bytes << " cut at " << cut;
  }
  return whole;
}

TEST(BodyDecoder, TakesAsManyBytesAsWereCounted) {
  const Decoded decoded = decode_everywhere(false, 5, "helloGET");
  EXPECT_EQ(decoded.result, Result::complete);
  EXPECT_EQ(decoded.content, "hello");
  EXPECT_EQ(decoded.consumed, 5U);
  EXPECT_EQ(decode_everywhere(false, 0, "GET").consumed, 0U);
  EXPECT_EQ(decode_everywhere(false, 9, "hello").result, Result::more);
}

TEST(BodyDecoder, JoinsChunks) {
  const std::string_view bytes =
      "5\r\nhello\r\n00A;a;b=c;d=\"e\\\"; f\"\r\n0123456789\r\n000\r\nTrailer: \t x\r\n\r\nGET";
  const Decoded decoded = decode_everywhere(true, 0, bytes);
  EXPECT_EQ(decoded.result, Result::complete);
  EXPECT_EQ(decoded.content, "hello0123456789");
  EXPECT_EQ(bytes.substr(decoded.consumed), "GET");
}

TEST(BodyDecoder, RefusesChunksThatBreakTheGrammar) {
  for (const std::string_view bytes : {"\r\n",
                                       "g\r\n",
                                       "-1\r\n",
                                       "0x5\r\n",
                                       "5 \r\n",
                                       "5\n",
                                       "5\rx",
                                       "5;\r\n",
                                       "5;=x\r\n",
                                       "5;a=\r\n",
                                       "5;a=\"b\r\n",
                                       "5;a=\"b\"c\r\n",
                                       "5 ;a\r\n",
                                       "5;a b\r\n",
                                       "5;a\n",
                                       "5\r\nhello!\r\n",
                                       "5\r\nhello\n",
                                       "00000000000000005\r\n",
                                       "0\r\nA b: c\r\n",
                                       "0\r\nA: b\rc",
                                       "0\r\nA: b\n",
                                       "0\r\n: b\r\n",
                                       "0\r\n\rX",
                                       "0\r\n folded\r\n"}) {
    const Decoded decoded = decode_everywhere(true, 0, bytes);
    EXPECT_EQ(decoded.result, Result::refused) << bytes;
    EXPECT_EQ(decoded.status, Status::bad_request) << bytes;
  }
}

TEST(BodyDecoder, BoundsContentExtensionsAndTrailers) {
  const BodyLimits limits{.content_bytes = 10, .extension_bytes = 8, .trailer_bytes = 12};
  EXPECT_EQ(decode_everywhere(false, 10, "0123456789", limits).result, Result::complete);
  EXPECT_EQ(decode_everywhere(false, 11, "", limits).status, Status::content_too_large);
  EXPECT_EQ(decode_everywhere(true, 0, "5\r\nhello\r\n6\r\n", limits).status,
            Status::content_too_large);
  EXPECT_EQ(decode_everywhere(true, 0, "ffffffffffffffff\r\n", limits).status,
            Status::content_too_large);
  EXPECT_EQ(decode_everywhere(true, 0, "1;a=123456789\r\n", limits).status, Status::bad_request);
  EXPECT_EQ(decode_everywhere(true, 0, "0\r\nA: 12345678\r\n", limits).status,
            Status::header_fields_too_large);
}

}  // namespace
}  // namespace precipice::http
