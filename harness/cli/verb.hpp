// What a verb of the command line is, and the codes that the program exits with.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "harness/cli/option_parser.hpp"

namespace precipice::cli {

/// --help lists them.
enum Exit {
  kDone = 0,
  kInternal = 1,
  kClaimFails = 1,  ///< check: an internal error cannot be told from it by its code alone
  kChanged = 1,     ///< compare --fail-on-change: likewise
  kUsage = 2,
  kInvalid = 3,
  kLacking = 4,
  kCannotWrite = 5,
  kInterrupted = 130,
};

/// The command line as it was given, the program first.
using Words = std::vector<std::string>;

struct Verb {
  std::string name, help;
  /// Adds the verb's options to its part of the command line. What it returns is called when they
  /// have been parsed; that returns an Exit, and throws UsageError, Unavailable, CannotWrite or
  /// Interrupted.
  std::function<std::function<int(const Words&)>(OptionParser&)> prepare;
  bool hidden = false;  ///< neither listed nor suggested, and it takes any words
};

/// A verb with arguments of its own type. `run` takes them, and the command line if it wants it.
template <class Arguments, class Run>
Verb make_verb(std::string name, std::string help, void (*add_options)(OptionParser&, Arguments&),
               Run run) {
  return {std::move(name), std::move(help), [add_options, run](OptionParser& parser) {
            const auto arguments = std::make_shared<Arguments>();
            add_options(parser, *arguments);
            return [arguments, run](const Words& argv) -> int {
              if constexpr (std::is_invocable_v<Run, const Arguments&, const Words&>)
                return run(*arguments, argv);
              else
                return run(*arguments);
            };
          }};
}

/// All verbs, in the order of --help.
const std::vector<Verb>& verbs();

}  // namespace precipice::cli
