// The options of one verb, as it adds them to its part of the command line. CLI11 stands behind it,
// and its header in the few files that need more: each file that includes it compiles for 10 s
// longer.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace precipice::cli {

/// `names` are as in "-o,--out", or one without a dash for a positional argument. Values are kept
/// by reference and set when the command line is parsed.
class OptionParser {
 public:
  explicit OptionParser(CLI::App& app) : app_(app) {}

  void add_option(const std::string& names, std::string& value, const std::string& help);
  /// May be given several times, one value each.
  void add_option(const std::string& names, std::vector<std::string>& values,
                  const std::string& help);
  void add_required(const std::string& names, std::string& value, const std::string& help);
  /// One value or more.
  void add_required(const std::string& names, std::vector<std::string>& values,
                    const std::string& help);
  /// An option that has been added must be given.
  void require(const std::string& name);
  void add_flag(const std::string& names, bool& value, const std::string& help);
  /// What --help ends with.
  void footer(const std::string& text);

 private:
  CLI::App& app_;
};

}  // namespace precipice::cli
