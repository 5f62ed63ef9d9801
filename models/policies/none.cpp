// none: passes every request through, so that what the chain itself costs can be measured.
#include "models/policies/policy.hpp"

namespace precipice {
namespace {

class None final : public Policy {
 public:
  using Policy::Policy;
};

}  // namespace

PolicyInfo none_policy() {
  return {.name = "none",
          .summary = "passes every request through; shows what a policy itself costs",
          .options = {},
          .make = [](const Options&, std::unique_ptr<Model> inner,
                     Timeline* timeline) -> std::unique_ptr<Policy> {
            return std::make_unique<None>(std::move(inner), timeline);
          }};
}

}  // namespace precipice
