// Every policy there is, in the order in which they are listed. Adding one is adding two lines
// here.
#include "models/did_you_mean.hpp"
#include "models/policies/policy.hpp"

namespace precipice {

PolicyInfo none_policy();
PolicyInfo batch_policy();
PolicyInfo hedge_policy();
PolicyInfo retry_policy();
PolicyInfo limit_policy();
PolicyInfo queue_policy();
PolicyInfo throttle_policy();
PolicyInfo fan_policy();
PolicyInfo choose_policy();

const std::vector<PolicyInfo>& policies() {
  static const std::vector<PolicyInfo> all = {
      none_policy(),  batch_policy(),    hedge_policy(), retry_policy(),  limit_policy(),
      queue_policy(), throttle_policy(), fan_policy(),   choose_policy(),
  };
  return all;
}

const PolicyInfo& policy_named(std::string_view name) {
  std::vector<std::string> names;
  for (const PolicyInfo& policy : policies()) {
    if (policy.name == name) return policy;
    names.emplace_back(policy.name);
  }
  std::string message =
      "no policy is called '" + std::string(name) + "'" + did_you_mean(name, names) + " There are:";
  for (const std::string& each : names) message += ' ' + each;
  throw UsageError(message);
}

}  // namespace precipice
