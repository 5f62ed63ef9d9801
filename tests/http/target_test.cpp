#include "harness/http/target.hpp"

#include <gtest/gtest.h>

namespace precipice::http {
namespace {

TEST(Target, HasAFormThatGoesWithTheMethod) {
  for (const char* target : {"/", "/a?b#c", "http://h", "HTTPS://h:1/p?q", "http://h?q"})
    EXPECT_TRUE(target_fits(target, Method::get)) << target;
  for (const char* target : {"", "a", "*", "h:80", "http://", "http:///p", "ftp://h/", "?q"})
    EXPECT_FALSE(target_fits(target, Method::get)) << target;
  EXPECT_TRUE(target_fits("*", Method::options));
  EXPECT_TRUE(target_fits("h:80", Method::connect));
  EXPECT_FALSE(target_fits("h", Method::connect));
  EXPECT_FALSE(target_fits("/", Method::connect));
}

TEST(Target, IsSplitIntoPathAndQuery) {
  const auto expect = [](const char* target, const char* path, const char* query) {
    const TargetParts parts = split_target(target);
    EXPECT_EQ(parts.path, path) << target;
    EXPECT_EQ(parts.query, query) << target;
  };
  expect("/a?b=c?d", "/a", "b=c?d");
  expect("/a#b?c", "/a", "");
  expect("http://h", "/", "");
  expect("http://h?q", "/", "q");
  expect("http://h:1/p?q#f", "/p", "q");
  expect("*", "*", "");
}

TEST(Target, GivesTheFirstValueOfAParameter) {
  EXPECT_EQ(query_value("a=1&seed=7&seed=8", "seed"), "7");
  EXPECT_EQ(query_value("seed=", "seed"), "");
  EXPECT_EQ(query_value("xseed=7&seeds=8&seed", "seed"), std::nullopt);
  EXPECT_EQ(query_value("&&seed=7", "seed"), "7");
  EXPECT_EQ(parse_number("0041", 42), 41U);
  for (const char* text : {"", "42", "-1", "1x", "99999999999999999999999"})
    EXPECT_EQ(parse_number(text, 42), std::nullopt) << text;
}

TEST(Host, IsANameOrAnAddressWithAPortAtMost) {
  for (const char* host : {"", "a", "a.b:80", "1.2.3.4:", "[::1]", "[::1]:80", "a%20b", "a=b"})
    EXPECT_TRUE(is_host(host)) << host;
  for (const char* host :
       {"a b", "a:b", "a:80:80", "[::1", "[::1]x", "[]", "a/b", "a@b", "a%2", "a\xff"})
    EXPECT_FALSE(is_host(host)) << host;
}

}  // namespace
}  // namespace precipice::http
