// What `drive` and `capacity --target` are told of a server and of the client alike.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/option_parser.hpp"
#include "harness/trial/target.hpp"

namespace precipice::cli {

struct TargetArguments {
  std::string target, connections, threads, method, body, expect, timeout, max_rate;
  std::string requests_per_connection, slow_clients, slow, slow_interval;
  std::vector<std::string> headers;
  bool connection_per_request = false, insecure = false;
};
/// All but --target itself.
void add_target(OptionParser& parser, TargetArguments& arguments);
/// Reads the files that it names. Throws UsageError.
Target target_of(const TargetArguments& arguments);

}  // namespace precipice::cli
