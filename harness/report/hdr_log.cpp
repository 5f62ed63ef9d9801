#include "harness/report/hdr_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <string_view>

namespace precipice {
namespace {

constexpr std::uint32_t kCookie = 0x1c849313, kCompressedCookie = 0x1c849314;
constexpr std::uint32_t kSignificantDigits = 3;

template <class Integer>
void append_big_endian(std::string& out, Integer value) {
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8)
    out += static_cast<char>((value >> shift) & 0xff);
}

/// ZigZag and LEB128 in at most 9 bytes, of which the last has all eight bits.
void append_count(std::string& out, std::int64_t value) {
  std::uint64_t rest =
      (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  constexpr int kMostBytes = 9;
  for (int i = 0; i < kMostBytes - 1 && rest >= 0x80; ++i, rest >>= 7)
    out += static_cast<char>((rest & 0x7f) | 0x80);
  out += static_cast<char>(rest);
}

std::string encoded(const Histogram& histogram) {
  std::string counts;
  std::uint32_t next = 0;
  for (const auto& [index, times] : histogram.buckets()) {
    // A run of empty buckets is its length, negative.
    if (index > next) append_count(counts, -static_cast<std::int64_t>(index - next));
    append_count(counts, static_cast<std::int64_t>(times));
    next = index + 1;
  }
  std::string out;
  append_big_endian(out, kCookie);
  append_big_endian(out, static_cast<std::uint32_t>(counts.size()));
  append_big_endian(out, std::uint32_t{0});  // offset of the normalising index
  append_big_endian(out, kSignificantDigits);
  append_big_endian(out, std::uint64_t{1});  // lowest value that is told apart
  append_big_endian(out, static_cast<std::uint64_t>(Histogram::kHighest));
  append_big_endian(out, std::bit_cast<std::uint64_t>(1.0));  // ratio of integers to doubles
  return out + counts;
}

std::uint32_t adler32(std::string_view bytes) {
  constexpr std::uint32_t kModulus = 65521;
  std::uint32_t a = 1, b = 0;
  for (const char c : bytes) {
    a = (a + static_cast<unsigned char>(c)) % kModulus;
    b = (b + a) % kModulus;
  }
  return (b << 16) | a;
}

/// RFC 1950 with the stored blocks of RFC 1951, 3.2.4.
std::string zlib_stored(std::string_view bytes) {
  constexpr std::size_t kMostOfBlock = 65535;
  std::string out = "\x78\x01";
  std::string_view rest = bytes;
  do {
    const std::string_view block = rest.substr(0, kMostOfBlock);
    rest.remove_prefix(block.size());
    const auto length = static_cast<std::uint16_t>(block.size());
    out += rest.empty() ? '\x01' : '\x00';
    for (const unsigned word : {static_cast<unsigned>(length), ~static_cast<unsigned>(length)}) {
      out += static_cast<char>(word & 0xff);
      out += static_cast<char>((word >> 8) & 0xff);
    }
    out += block;
  } while (!rest.empty());
  append_big_endian(out, adler32(bytes));
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t given = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t three = 0;
    for (std::size_t i = 0; i < 3; ++i)
      three = (three << 8) | (i < given ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      out += i <= given ? kDigits[(three >> (18 - 6 * i)) & 63] : '=';
  }
  return out;
}

}  // namespace

std::string hdr_base64(const Histogram& histogram) {
  const std::string stream = zlib_stored(encoded(histogram));
  std::string bytes;
  append_big_endian(bytes, kCompressedCookie);
  append_big_endian(bytes, static_cast<std::uint32_t>(stream.size()));
  return base64(bytes + stream);
}

std::string hdr_log_head(double start_s) {
  return fmt::format(
      "#[Histogram log format version 1.3]\n"
      "#[StartTime: {:.3f} (seconds since epoch)]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
      start_s);
}

std::string hdr_log_line(double from_s, double length_s, const Histogram& histogram) {
  const double largest_ms =
      histogram.count() == 0 ? 0 : 1e-6 * static_cast<double>(histogram.max());
  return fmt::format("{:.3f},{:.3f},{:.3f},{}\n", from_s, length_s, largest_ms,
                     hdr_base64(histogram));
}

}  // namespace precipice
