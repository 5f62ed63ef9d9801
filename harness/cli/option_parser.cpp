#include "harness/cli/option_parser.hpp"

#include <CLI/CLI.hpp>

namespace precipice::cli {

void OptionParser::add_option(const std::string& names, std::string& value,
                              const std::string& help) {
  app_.add_option(names, value, help);
}

void OptionParser::add_option(const std::string& names, std::vector<std::string>& values,
                              const std::string& help) {
  app_.add_option(names, values, help)->allow_extra_args(false);
}

void OptionParser::add_required(const std::string& names, std::string& value,
                                const std::string& help) {
  app_.add_option(names, value, help)->required();
}

void OptionParser::add_required(const std::string& names, std::vector<std::string>& values,
                                const std::string& help) {
  app_.add_option(names, values, help)->required();
}

void OptionParser::require(const std::string& name) { app_.get_option(name)->required(); }

void OptionParser::add_flag(const std::string& names, bool& value, const std::string& help) {
  app_.add_flag(names, value, help);
}

void OptionParser::footer(const std::string& text) { app_.footer(text); }

}  // namespace precipice::cli
