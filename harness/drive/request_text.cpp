#include "harness/drive/request_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "models/options.hpp"

namespace precipice {
namespace {

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
  });
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// The fields that the user gave, as they are sent. `names_host`: one of them is Host.
std::string fields_of(const Target& target, bool& names_host) {
  std::string text;
  for (const std::string& header : target.headers) {
    const std::size_t colon = header.find(':');
    const std::string_view name = std::string_view(header).substr(0, colon);
    if (colon == std::string::npos || !is_token(name))
      throw UsageError(fmt::format("header '{}' is no field: write 'NAME: VALUE'", header));
    std::string_view value = std::string_view(header).substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    if (!is_value(value)) throw UsageError(fmt::format("header '{}' has control characters", name));
    const std::string known = lower(name);
    for (const char* framing : {"content-length", "transfer-encoding", "connection", "expect"}) {
      if (known == framing) {
        throw UsageError(fmt::format(
            "header '{}' follows from the body and from --connection-per-request: leave it out",
            name));
      }
    }
    names_host = names_host || known == "host";
    text += fmt::format("{}: {}\r\n", name, value);
  }
  return text;
}

}  // namespace

RequestText::RequestText(const Target& target, const Url& url) : is_head_(target.method == "HEAD") {
  if (!is_token(target.method) || target.method == "CONNECT")
    throw UsageError(fmt::format("method '{}' cannot be sent: GET, HEAD, POST, PUT, DELETE, ...",
                                 target.method));
  bool names_host = false;
  const std::string fields = fields_of(target, names_host);
  const std::size_t place = url.target.find(kSeedPlace);
  seeded_ = place != std::string::npos;
  before_ = fmt::format("{} {}", target.method, url.target.substr(0, place));
  if (seeded_) after_ = url.target.substr(place + kSeedPlace.size());
  if (after_.find(kSeedPlace) != std::string::npos)
    throw UsageError(fmt::format("url '{}' has {{seed}} twice: once is enough", target.url));
  std::string& rest = seeded_ ? after_ : before_;
  rest += " HTTP/1.1\r\n";
  if (!names_host) rest += fmt::format("Host: {}\r\n", url.authority);
  rest += fields;
  if (target.connection_per_request) rest += "Connection: close\r\n";
  const bool has_body = !target.body_file.empty() || !target.body.empty();
  if (has_body || target.method == "POST" || target.method == "PUT")
    rest += fmt::format("Content-Length: {}\r\n", target.body.size());
  rest += "\r\n" + target.body;
}

RequestText closing_text(const Target& target, const Url& url) {
  Target closing = target;
  closing.connection_per_request = true;
  return {closing, url};
}

std::string_view RequestText::of(std::uint32_t seed) {
  if (!seeded_) return before_;
  char digits[10];
  const auto written = std::to_chars(digits, digits + sizeof digits, seed);
  made_.assign(before_);
  made_.append(digits, written.ptr);
  made_.append(after_);
  return made_;
}

}  // namespace precipice
