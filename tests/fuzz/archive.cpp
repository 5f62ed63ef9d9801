// A whole run read back: manifest, suite and journal, one after the other in the input with a line
// `%%` between them.
#include <array>

#include "harness/store/run_reader.hpp"
#include "tests/fuzz/property.hpp"
#include "tests/fuzz/scratch.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace precipice;
  using namespace precipice::fuzz;
  static const Scratch scratch;
  std::string_view rest = text_of(data, size);
  constexpr std::string_view kBetween = "\n%%\n";
  for (const char* name : {"run/manifest.json", "run/suite.toml", "run/journal.jsonl"}) {
    const std::size_t end = rest.find(kBetween);
    scratch.write(name, rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + kBetween.size());
  }
  const auto run = accepted([&] { return open_run(scratch.path() + "/run"); });
  if (run) {
    require(run->result.cells.size() <= run->plan.models.size() * run->plan.workloads.size(),
            "a run has no more cells than its plan");
  }
  return 0;
}
