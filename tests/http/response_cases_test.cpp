// The responses of llhttp's tests, accepted or refused as they say. They lie beside the project;
// each difference is listed with its reason.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "harness/http/response_parser.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string name;  ///< "FILE: heading"
  std::string bytes;
  bool accepted = false, refused = false;
};

/// As their fixture reads them: lines end with CRLF, and escapes stand for their bytes.
std::string bytes_of(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  std::string lines;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '\n')
      ++i;  // the line goes on
    else if (text[i] == '\n')
      lines += "\r\n";
    else
      lines += text[i];
  }
  std::string bytes;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const char next = lines[i] == '\\' && i + 1 < lines.size() ? lines[i + 1] : '\0';
    static const std::map<char, char> kEscapes = {
        {'r', '\r'}, {'n', '\n'}, {'t', '\t'}, {'f', '\f'}};
    if (const auto known = kEscapes.find(next); known != kEscapes.end()) {
      bytes += known->second;
      ++i;
    } else if (next == 'x') {
      std::size_t digits = 0;
      bytes += static_cast<char>(std::stoi(lines.substr(i + 2, 2), &digits, 16));
      i += 1 + digits;
    } else {
      bytes += lines[i];
    }
  }
  return bytes;
}

/// The text of the first fenced block with this name after `at`, which moves behind it.
std::string block(const std::string& text, const std::string& name, std::size_t& at) {
  const std::string fence = "```" + name + "\n";
  const std::size_t begin = text.find(fence, at);
  if (begin == std::string::npos) return "";
  const std::size_t end = text.find("\n```", begin + fence.size() - 1);
  at = end;
  const std::size_t from = begin + fence.size();
  return end < from ? "" : text.substr(from, end + 1 - from);
}

std::vector<Case> cases_in(const fs::path& file) {
  std::ifstream in(file);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  std::vector<Case> cases;
  const std::string kMeta = "<!-- meta={\"type\": \"response\"";
  for (std::size_t at = text.find("<!-- meta="); at != std::string::npos;
       at = text.find("<!-- meta=", at + 1)) {
    if (text.compare(at, kMeta.size(), kMeta) != 0) continue;  // lenient ones
    const std::size_t heading = text.rfind("\n#", at);
    Case made;
    const std::size_t line =
        text.find_first_not_of("\n# ", heading == std::string::npos ? 0 : heading);
    made.name = file.filename().string() + ": " + text.substr(line, text.find('\n', line) - line);
    std::size_t cursor = at;
    made.bytes = bytes_of(block(text, "http", cursor));
    const std::string log = block(text, "log", cursor);
    made.refused = log.find("error code=") != std::string::npos;
    made.accepted = !made.refused;
    cases.push_back(std::move(made));
  }
  return cases;
}

/// Where this client differs, and why.
const std::map<std::string, std::string>& differences() {
  static const std::map<std::string, std::string> all = {
      {"sample.md: RTSP response", "another protocol"},
      {"sample.md: ICE response", "another protocol"},
      {"sample.md: HTTP version 0.9", "0.9 has no status line"},
      {"sample.md: Response starting with CRLF", "bytes in front of a response answer nothing"},
      {"connection.md: HTTP 304 with Content-Length", "an empty line before the next response"},
      {"connection.md: HTTP 100 first, then 400", "likewise"},
      {"pipelining.md: Should parse multiple events", "likewise"},
      {"transfer-encoding.md: `chunked` before other transfer-encoding",
       "a chunked body that is encoded again has no end that all would see"},
      {"transfer-encoding.md: multiple transfer-encoding where chunked is not the last one",
       "likewise"},
  };
  return all;
}

TEST(ResponseCases, AreAcceptedOrRefusedAsLlhttpSays) {
  const fs::path directory =
      fs::path(PRECIPICE_SOURCE_DIR) / "../shared/http-cases/llhttp/response";
  if (!fs::is_directory(directory)) GTEST_SKIP() << directory << " is not here";
  std::size_t read = 0;
  std::map<std::string, std::string> met;
  for (const fs::directory_entry& file : fs::directory_iterator(directory)) {
    for (const Case& each : cases_in(file.path())) {
      ++read;
      ResponseParser parser;
      std::string_view rest = each.bytes;
      // Their cases hold several responses of one connection.
      do {
        parser.begin(false, nullptr);
        rest.remove_prefix(parser.take(rest));
      } while (parser.done() && !rest.empty() && parser.keeps_alive());
      // Some end within the line that is wrong.
      if (!parser.done() && !parser.failed() && each.refused) parser.take("\r\n");
      // What comes behind the last response of a connection is refused by who reads it.
      const bool refused = parser.failed() || (parser.done() && !rest.empty());
      const bool as_said = refused == each.refused;
      const auto known = differences().find(each.name);
      if (known != differences().end()) {
        met[each.name] = known->second;
        EXPECT_FALSE(as_said) << each.name << " is as llhttp says, and listed as different";
      } else {
        EXPECT_TRUE(as_said) << each.name << " (" << (each.refused ? "refused" : "accepted")
                             << " there): "
                             << (parser.problem() == nullptr ? "accepted" : parser.problem());
      }
    }
  }
  EXPECT_GT(read, 30U);
  EXPECT_EQ(met.size(), differences().size());
}

}  // namespace
}  // namespace precipice
