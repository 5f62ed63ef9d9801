#include "harness/store/journal_index.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/json.hpp"

namespace precipice {
namespace {

/// The fields of a journal line that say what it is. The rest, which is nearly all of it, is only
/// looked through: a journal of gigabytes is opened without being built up in memory.
class LineHead : public nlohmann::json_sax<Json> {
 public:
  int schema = 0;
  std::string kind, name;  ///< `name` is the line's key

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t value) override { return whole(value); }
  bool number_unsigned(number_unsigned_t value) override {
    return whole(static_cast<number_integer_t>(value));
  }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t& value) override {
    if (depth_ == 1 && field_ == "kind") kind = value;
    if (depth_ == 1 && field_ == "key") name = value;
    return true;
  }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override {
    ++depth_;
    return true;
  }
  bool key(string_t& field) override {
    if (depth_ == 1) field_ = field;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override { return depth_++ > 0; }
  bool end_array() override { return end_object(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool whole(number_integer_t value) {
    if (depth_ == 1 && field_ == "schema") schema = static_cast<int>(value);
    return depth_ > 0;
  }
  int depth_ = 0;
  std::string field_;
};

}  // namespace

std::string JournalIndex::load() {
  constexpr std::uint64_t kPiece = 1 << 20;
  constexpr std::size_t kLongestLine = 256 << 20;  // a thousand times what a trial takes
  const auto cut_torn = [&](std::uint64_t offset) {
    file_.cut(offset);
    return fmt::format("the last line of {} was torn and is measured again", file_.path());
  };
  const std::uint64_t size = file_.size();
  std::string text;          // from `offset` on, as far as it was read
  std::uint64_t offset = 0;  // of the line that is looked at
  int number = 1;
  while (offset + text.size() < size && text.size() <= kLongestLine) {
    std::size_t searched = text.size();
    const std::string piece = file_.read(offset + text.size(), kPiece);
    if (piece.empty()) break;
    text += piece;
    std::size_t begin = 0;
    for (std::size_t end; (end = text.find('\n', searched)) != std::string::npos; ++number) {
      const std::string_view line = std::string_view(text).substr(begin, end - begin);
      if (!take_line(line, offset + begin, number)) {
        if (offset + end + 1 < size) throw damaged(number);
        return cut_torn(offset + begin);
      }
      searched = begin = end + 1;
    }
    text.erase(0, begin);
    offset += begin;
  }
  if (text.size() > kLongestLine) throw damaged(number);
  // Without its newline it is torn even when what is there happens to parse.
  return text.empty() ? "" : cut_torn(offset);
}

UsageError JournalIndex::damaged(int line) const {
  return UsageError(
      fmt::format("{}:{}: is damaged in the middle, so this run cannot be continued; begin a new "
                  "one with --fresh",
                  file_.path(), line));
}

bool JournalIndex::take_line(std::string_view line, std::uint64_t offset, int number) {
  LineHead head;
  if (!Json::sax_parse(line.begin(), line.end(), &head)) return false;
  if (head.schema != kSchema) {
    throw UsageError(fmt::format(
        "{}:{}: is of schema {}, and this program continues schema {}; begin a new run with "
        "--fresh",
        file_.path(), number, head.schema, kSchema));
  }
  const bool calibration = head.kind == "calibration";
  if (head.name.empty() || (!calibration && head.kind != "trial")) return false;
  const std::string key = (calibration ? std::string(kCalibration) : std::string()) + head.name;
  if (!lines_.emplace(key, std::make_pair(offset, line.size())).second) return true;
  order_.push_back(key);
  if (!calibration) ++trials_;
  return true;
}

void JournalIndex::append(const std::string& key, std::string_view line) {
  const std::uint64_t offset = file_.size();
  file_.append(line);
  lines_.emplace(key, std::make_pair(offset, line.size()));
  order_.push_back(key);
}

}  // namespace precipice
