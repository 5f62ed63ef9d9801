// `name:key=value,key=value`: the syntax alone, then with the options of every registered model and
// workload, whose constructors check values.
#include "harness/trial/spec.hpp"

#include "tests/fuzz/property.hpp"

namespace precipice::fuzz {
namespace {

bool same(const Spec& a, const Spec& b) { return a.name == b.name && a.given == b.given; }

}  // namespace
}  // namespace precipice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace precipice;
  using namespace precipice::fuzz;
  const std::string_view text = text_of(data, size);
  const auto spec = accepted([&] { return parse_spec(text, "fuzz"); });
  const auto model = accepted([&] { return parse_model(text); });
  const auto workload = accepted([&] { return parse_workload(text); });
  require(spec || (!model && !workload), "a model or workload is a spec", text);
  if (!spec) return 0;
  const std::string printed = spec->to_string();
  require(
      same(again("a spec prints what parses", printed, [&] { return parse_spec(printed, "fuzz"); }),
           *spec),
      "a spec parses to itself", printed);
  require(label(*spec).size() >= spec->name.size(), "a label holds the name", printed);
  if (model) {
    require(same(again("a model prints what parses", printed, [&] { return parse_model(printed); }),
                 *model),
            "a model parses to itself", printed);
  }
  if (workload) {
    require(same(again("a workload prints what parses", printed,
                       [&] { return parse_workload(printed); }),
                 *workload),
            "a workload parses to itself", printed);
  }
  return 0;
}
