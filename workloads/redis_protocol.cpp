#include "workloads/redis_protocol.hpp"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

namespace precipice {
namespace {

// What a server may claim of a value at most (its own limit, proto-max-bulk-len).
constexpr std::uint64_t kLargestBulk = 512ULL << 20;

}  // namespace

std::string redis_command(std::initializer_list<std::string_view> words) {
  std::string text = fmt::format("*{}\r\n", words.size());
  for (const std::string_view word : words)
    fmt::format_to(std::back_inserter(text), "${}\r\n{}\r\n", word.size(), word);
  return text;
}

std::string redis_set_head(std::string_view key, std::size_t value_bytes) {
  return fmt::format("*3\r\n$3\r\nSET\r\n${}\r\n{}\r\n${}\r\n", key.size(), key, value_bytes);
}

RedisReply parse_redis_reply(std::span<const std::byte> received) {
  using Kind = RedisReply::Kind;
  if (received.empty()) return {};
  const std::string_view text(reinterpret_cast<const char*>(received.data()), received.size());
  const char type = text.front();
  if (type != '+' && type != '-' && type != '$') return {.kind = Kind::malformed};
  const std::size_t line = text.find("\r\n");
  if (line == std::string_view::npos) return {};
  const std::size_t begin = line + 2;
  if (type != '$') {
    return {.kind = type == '+' ? Kind::status : Kind::error,
            .content = received.subspan(1, line - 1),
            .bytes = begin};
  }
  const std::string_view length = text.substr(1, line - 1);
  if (length == "-1") return {.kind = Kind::none, .bytes = begin};
  std::uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bytes);
  if (error != std::errc() || end != length.data() + length.size() || bytes > kLargestBulk)
    return {.kind = Kind::malformed};
  if (text.size() < begin + bytes + 2) return {};
  if (text.substr(begin + bytes, 2) != "\r\n") return {.kind = Kind::malformed};
  return {
      .kind = Kind::value, .content = received.subspan(begin, bytes), .bytes = begin + bytes + 2};
}

}  // namespace precipice
