#include "harness/report/verdict_text.hpp"

#include <algorithm>
#include <cstddef>

#include "harness/compare/verdict_sentence.hpp"

namespace precipice {

std::string verdict_text(const std::vector<WorkloadVerdict>& verdicts, const TableStyle& style) {
  const auto width = std::min<std::size_t>(kVerdictWidth, std::max(style.width, 1));
  std::string text;
  for (const WorkloadVerdict& each : verdicts) {
    const std::string line = verdict_sentence(each, width, style.utf8);
    const std::size_t colon = line.find(": ");
    text +=
        colon == std::string::npos ? line : bold(line.substr(0, colon), style) + line.substr(colon);
    text += '\n';
  }
  return text;
}

}  // namespace precipice
