#include "harness/drive/listen_queue.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

namespace precipice {

std::optional<std::uint64_t> parse_listen_overflows(std::string_view netstat) {
  // Two lines a section, names above values: "TcpExt: A B" and "TcpExt: 1 2".
  std::istringstream text{std::string(netstat)};
  std::optional<std::uint64_t> sum;
  for (std::string names, values; std::getline(text, names) && std::getline(text, values);) {
    std::istringstream name_words(names), value_words(values);
    std::string section, same_section, name;
    name_words >> section;
    value_words >> same_section;
    if (section != "TcpExt:" || same_section != section) continue;
    std::uint64_t value = 0;
    while (name_words >> name && value_words >> value) {
      // A drop is counted as an overflow as well where that was its cause: the larger of the two.
      if (name == "ListenOverflows" || name == "ListenDrops")
        sum = std::max(sum.value_or(0), value);
    }
  }
  return sum;
}

std::optional<std::uint64_t> read_listen_overflows(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  return parse_listen_overflows(std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace precipice
