#include "harness/http/url.hpp"

#include <gtest/gtest.h>

#include <string>

#include "models/options.hpp"

namespace precipice {
namespace {

TEST(Url, ReadsHostPortAndTarget) {
  const Url url = parse_url("http://example.org:8080/a/b?c=d&e={seed}", "--target");
  EXPECT_FALSE(url.tls);
  EXPECT_EQ(url.host, "example.org");
  EXPECT_EQ(url.port, 8080);
  EXPECT_EQ(url.target, "/a/b?c=d&e={seed}");
  EXPECT_EQ(url.authority, "example.org:8080");
}

TEST(Url, FillsInPortAndPath) {
  EXPECT_EQ(parse_url("http://h", "x").port, 80);
  EXPECT_EQ(parse_url("http://h", "x").target, "/");
  EXPECT_EQ(parse_url("https://h", "x").port, 443);
  EXPECT_TRUE(parse_url("https://h", "x").tls);
  EXPECT_EQ(parse_url("http://h?q", "x").target, "/?q");
}

TEST(Url, LeavesADefaultPortOutOfTheHostField) {
  EXPECT_EQ(parse_url("http://h:80/", "x").authority, "h");
  EXPECT_EQ(parse_url("https://h:443/", "x").authority, "h");
  EXPECT_EQ(parse_url("https://h:80/", "x").authority, "h:80");
}

TEST(Url, TakesAddressesOfBothFamilies) {
  EXPECT_EQ(parse_url("http://127.0.0.1:9/", "x").host, "127.0.0.1");
  const Url six = parse_url("http://[::1]:9/p", "x");
  EXPECT_EQ(six.host, "::1");
  EXPECT_EQ(six.port, 9);
  EXPECT_EQ(six.authority, "[::1]:9");
}

TEST(Url, TakesUnixSocketsWithAndWithoutATarget) {
  const Url bare = parse_url("unix:/run/app.sock", "x");
  EXPECT_EQ(bare.socket, "/run/app.sock");
  EXPECT_EQ(bare.target, "/");
  EXPECT_EQ(bare.authority, "localhost");
  const Url path = parse_url("unix:/run/app.sock:/work?seed={seed}", "x");
  EXPECT_EQ(path.socket, "/run/app.sock");
  EXPECT_EQ(path.target, "/work?seed={seed}");
}

TEST(Url, RefusesWhatCannotBeSent) {
  for (const char* wrong : {"",
                            "h:80",
                            "ftp://h/",
                            "http://",
                            "http:///x",
                            "http://u@h/",
                            "http://u:p@h/",
                            "http://h:0/",
                            "http://h:65536/",
                            "http://h:8x/",
                            "http://h:/",
                            "http://h/#f",
                            "http://h/a b",
                            "http://h/\r\nX: y",
                            "http://h/\x80",
                            "http://h/{sead}",
                            "http://[::1/",
                            "http://[::1]9/",
                            "http://h\n/",
                            "unix:relative",
                            "unix:"}) {
    EXPECT_THROW(parse_url(wrong, "--target"), UsageError) << wrong;
  }
  EXPECT_THROW(parse_url("unix:/" + std::string(200, 'a'), "x"), UsageError);
  EXPECT_THROW(parse_url("http://h/" + std::string(9000, 'a'), "x"), UsageError);
}

TEST(Url, NamesWhatIsWrong) {
  try {
    parse_url("http://h:99999/", "--target");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("--target 'http://h:99999/' has no port"),
              std::string::npos)
        << error.what();
  }
}

TEST(Url, GivesANameForTables) {
  EXPECT_EQ(plain_name(parse_url("http://127.0.0.1:8080/x", "x")), "127.0.0.1_8080");
  EXPECT_EQ(plain_name(parse_url("http://[::1]:8080/x", "x")), "__1_8080");
  EXPECT_EQ(plain_name(parse_url("unix:/run/a.sock", "x")), "_run_a.sock");
}

}  // namespace
}  // namespace precipice
