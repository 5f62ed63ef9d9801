#include "harness/http/response_parser.hpp"

#include <array>
#include <cctype>
#include <cstring>
#include <limits>

namespace precipice {
namespace {

constexpr std::array<bool, 256> characters(std::string_view others, bool above_space) {
  std::array<bool, 256> in{};
  for (int c = 0; c < 256; ++c) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    in[static_cast<std::size_t>(c)] = above_space ? c >= ' ' && c != 0x7f : alphanumeric;
  }
  for (const char c : others) in[static_cast<unsigned char>(c)] = true;
  return in;
}
// RFC 9110, 5.6.2 and 5.5.
constexpr auto kTokens = characters("!#$%&'*+-.^_`|~", false);
constexpr auto kText = characters("\t", true);

bool all_of(std::string_view text, const std::array<bool, 256>& in) {
  for (const char c : text) {
    if (!in[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Without regard to case; `lower` is in lower case.
bool is(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(text[i])) != lower[i]) return false;
  }
  return true;
}

/// Calls `each` with every element of a list (RFC 9110, 5.6.1) that is not empty.
template <class Each>
void elements(std::string_view list, Each each) {
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    const std::string_view element = trimmed(list.substr(at, comma - at));
    if (!element.empty()) each(element);
    at = comma + 1;
  }
}

int hexadecimal(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::uint64_t> decimal(std::string_view digits) {
  // Nothing that arrives has more than a quintillion bytes.
  constexpr std::size_t kMostDigits = 18;
  if (digits.empty() || digits.size() > kMostDigits) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

/// Takes a token off the front; false where there is none.
bool take_token(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && kTokens[static_cast<unsigned char>(text[length])]) ++length;
  text.remove_prefix(length);
  return length > 0;
}

bool take_quoted(std::string_view& text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (!kText[static_cast<unsigned char>(text[at])]) return false;
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      text.remove_prefix(at + 1);
      return true;
    }
  }
  return false;
}

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

/// What stands behind a chunk's size: *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted ) ] ), RFC
/// 9112, 7.1.1.
bool are_extensions(std::string_view text) {
  while (!text.empty()) {
    skip_blanks(text);
    if (text.empty() || text.front() != ';') return false;
    text.remove_prefix(1);
    skip_blanks(text);
    if (!take_token(text)) return false;
    std::string_view behind = text;
    skip_blanks(behind);
    if (!behind.starts_with('=')) continue;
    behind.remove_prefix(1);
    skip_blanks(behind);
    if (!(behind.starts_with('"') ? take_quoted(behind) : take_token(behind))) return false;
    text = behind;
  }
  return true;
}

}  // namespace

void ResponseParser::begin(bool to_head, const std::string* expected_body) {
  to_head_ = to_head;
  body_.begin(expected_body);
  problem_ = nullptr;
  begun_ = false;
  status_ = interim_ = 0;
  begin_section();
}

void ResponseParser::begin_section() {
  state_ = State::status_line;
  keeps_alive_ = false;
  section_bytes_ = 0;
  framing_ = {};
  kept_.clear();
}

void ResponseParser::fail(const char* problem) {
  state_ = State::failed;
  problem_ = problem;
}

std::size_t ResponseParser::take(std::string_view bytes) {
  std::size_t taken = 0;
  begun_ = begun_ || !bytes.empty();
  while (taken < bytes.size() && !done() && !failed()) {
    const std::string_view rest = bytes.substr(taken);
    if (state_ == State::sized || state_ == State::until_close || state_ == State::chunk_data) {
      taken += take_body(rest);
    } else if (const auto line = take_line(rest, taken)) {
      on_line(*line);
      kept_.clear();
    }
  }
  return taken;
}

void ResponseParser::end_of_stream() {
  if (state_ == State::until_close) {
    state_ = State::done;
  } else if (!done() && !failed()) {
    fail(begun_ ? "the connection was closed within the response"
                : "the connection was closed without a response");
  }
}

std::optional<std::string_view> ResponseParser::take_line(std::string_view bytes,
                                                          std::size_t& taken) {
  const auto* const end = static_cast<const char*>(std::memchr(bytes.data(), '\n', bytes.size()));
  const std::size_t length =
      end == nullptr ? bytes.size() : static_cast<std::size_t>(end - bytes.data()) + 1;
  taken += length;
  section_bytes_ += length;
  const bool chunk = state_ == State::chunk_line || state_ == State::chunk_end;
  const std::size_t most = chunk                       ? kMostChunkLine
                           : state_ == State::trailers ? kMostTrailers
                                                       : kMostHeader;
  if (section_bytes_ > most) {
    fail(chunk ? "a chunk's line is too long" : "the header or trailer section is too long");
    return std::nullopt;
  }
  if (end == nullptr || !kept_.empty()) kept_.append(bytes.substr(0, length));
  if (end == nullptr) return std::nullopt;
  std::string_view line = kept_.empty() ? bytes.substr(0, length) : std::string_view(kept_);
  line.remove_suffix(1);
  if (line.empty() || line.back() != '\r') {
    fail("a line ends with LF alone");
    return std::nullopt;
  }
  line.remove_suffix(1);
  return line;
}

void ResponseParser::on_line(std::string_view line) {
  switch (state_) {
    case State::status_line:
      on_status_line(line);
      break;
    case State::fields:
      if (line.empty())
        on_end_of_header();
      else
        on_field(line);
      break;
    case State::chunk_line:
      on_chunk_line(line);
      break;
    case State::chunk_end:
      if (!line.empty()) {
        fail("a chunk is longer than its size");
      } else {
        state_ = State::chunk_line;
        section_bytes_ = 0;
      }
      break;
    case State::trailers:
      if (line.empty())
        state_ = State::done;
      else
        on_field(line);
      break;
    default:
      break;
  }
}

void ResponseParser::on_status_line(std::string_view line) {
  constexpr std::string_view kVersion = "HTTP/1.";
  constexpr std::size_t kLeast = 12;  // HTTP/1.1 200
  const auto digit = [&](std::size_t at) { return line[at] >= '0' && line[at] <= '9'; };
  if (line.size() < kLeast || !line.starts_with(kVersion) || line[8] != ' ' || !digit(9) ||
      !digit(10) || !digit(11) || (line.size() > kLeast && line[kLeast] != ' '))
    return fail("the status line is malformed");
  if (line[7] != '0' && line[7] != '1') return fail("the version is neither HTTP/1.0 nor HTTP/1.1");
  if (!all_of(line.substr(kLeast), kText)) return fail("the reason phrase has control characters");
  http_1_0_ = line[7] == '0';
  status_ = 100 * (line[9] - '0') + 10 * (line[10] - '0') + (line[11] - '0');
  if (status_ < 100) return fail("the status is below 100");
  state_ = State::fields;
}

void ResponseParser::on_field(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return fail("a field goes on in a further line");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return fail("a field has no name");
  const std::string_view name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
  if (!all_of(name, kTokens)) return fail("a field's name has other characters than names have");
  if (!all_of(value, kText)) return fail("a field's value has control characters");
  if (state_ == State::trailers) return;  // RFC 9110, 6.5.1: they frame nothing
  if (is(name, "content-length")) {
    if (framing_.length) return fail("Content-Length is there twice");
    framing_.length = decimal(value);
    if (!framing_.length) return fail("Content-Length is no number");
  } else if (is(name, "transfer-encoding")) {
    on_transfer_encoding(value);
  } else if (is(name, "connection")) {
    elements(value, [&](std::string_view option) {
      framing_.close = framing_.close || is(option, "close");
      framing_.keep_alive = framing_.keep_alive || is(option, "keep-alive");
    });
  }
}

void ResponseParser::on_transfer_encoding(std::string_view value) {
  framing_.encoded = true;
  elements(value, [&](std::string_view coding) {
    framing_.chunked_before = framing_.chunked_before || framing_.chunked_last;
    framing_.chunked_last = is(coding, "chunked");
  });
}

void ResponseParser::on_end_of_header() {
  if (status_ == 101) return fail("the server switches to a protocol that was not asked for");
  if (status_ < 200) {
    if (++interim_ > kMostInterim) return fail("there are too many interim responses");
    begin_section();
    return;
  }
  const Framing& f = framing_;
  if (f.encoded && f.length) return fail("Content-Length stands beside Transfer-Encoding");
  if (f.encoded && http_1_0_) return fail("HTTP/1.0 has no Transfer-Encoding");
  if (f.chunked_before) return fail("chunked is not the last transfer coding");
  keeps_alive_ = http_1_0_ ? f.keep_alive && !f.close : !f.close;
  section_bytes_ = 0;
  if (to_head_ || status_ == 204 || status_ == 304) {
    state_ = State::done;
  } else if (f.encoded) {
    state_ = f.chunked_last ? State::chunk_line : State::until_close;
    keeps_alive_ = keeps_alive_ && f.chunked_last;
  } else if (f.length) {
    left_ = *f.length;
    state_ = left_ > 0 ? State::sized : State::done;
  } else {
    state_ = State::until_close;
    keeps_alive_ = false;
  }
}

void ResponseParser::on_chunk_line(std::string_view line) {
  std::size_t digits = 0;
  std::uint64_t size = 0;
  for (; digits < line.size() && hexadecimal(line[digits]) >= 0; ++digits) {
    if (size > std::numeric_limits<std::uint64_t>::max() >> 8)
      return fail("a chunk's size is too large");
    size = 16 * size + static_cast<std::uint64_t>(hexadecimal(line[digits]));
  }
  if (digits == 0 || !are_extensions(line.substr(digits)))
    return fail("a chunk's size is malformed");
  section_bytes_ = 0;
  left_ = size;
  state_ = size == 0 ? State::trailers : State::chunk_data;
}

std::size_t ResponseParser::take_body(std::string_view bytes) {
  if (state_ == State::until_close) {
    body_.add(bytes);
    return bytes.size();
  }
  const std::size_t taken = std::min<std::uint64_t>(left_, bytes.size());
  body_.add(bytes.substr(0, taken));
  left_ -= taken;
  if (left_ == 0) state_ = state_ == State::sized ? State::done : State::chunk_end;
  return taken;
}

}  // namespace precipice
