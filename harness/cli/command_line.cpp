#include "harness/cli/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <functional>
#include <sstream>

#include "harness/cli/common_options.hpp"
#include "harness/host/build_info.hpp"
#include "models/did_you_mean.hpp"
#include "models/options.hpp"

namespace precipice::cli {
namespace {

constexpr const char* kExamplesAndCodes =
    "Examples:\n"
    "  precipice doctor\n"
    "  precipice trial --model event_loop --workload sleep:wait=5ms --rate 2000\n"
    "  precipice capacity --model fixed_pool:threads=8 --workload cpu:work=1ms\n"
    "  precipice run quick.toml\n\n"
    "Exit codes: 0 done, 1 internal error, 2 wrong usage, 3 invalid measurement, 4 this machine "
    "lacks\nsomething, 5 results cannot be written, 130 interrupted.";

/// `--rate -1` is a wrong value, not an unknown option -1.
Words with_negative_values_joined(const Words& argv) {
  Words joined;
  for (const std::string& word : argv) {
    const bool negative = word.size() > 1 && word[0] == '-' &&
                          (std::isdigit(static_cast<unsigned char>(word[1])) || word[1] == '.');
    if (negative && !joined.empty() && joined.back().starts_with("--") &&
        joined.back().find('=') == std::string::npos) {
      joined.back().append("=").append(word);
    } else {
      joined.push_back(word);
    }
  }
  return joined;
}

/// CLI11 says that a word was not expected; the user wants to know which was meant.
std::string with_suggestion(const std::string& message, const CLI::App& app, const Words& argv) {
  for (const CLI::App* verb : app.get_subcommands()) {
    std::vector<std::string> names;
    for (const CLI::Option* option : verb->get_options()) names.push_back(option->get_name());
    for (const std::string& word : argv) {
      const std::string name = word.substr(0, word.find('='));
      if (!name.starts_with("--") || std::find(names.begin(), names.end(), name) != names.end())
        continue;
      return fmt::format("{} has no option {}{} (precipice {} --help)", verb->get_name(), name,
                         did_you_mean(name, names), verb->get_name());
    }
  }
  return message;
}

}  // namespace

int run_command_line(const Words& argv) {
  CLI::App app("Where is the latency cliff of each concurrency model, and how much can it carry",
               "precipice");
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text());
  app.footer(kExamplesAndCodes);
  std::function<int(const Words&)> run;
  Words names;
  bool known = argv.size() < 2 || argv[1].starts_with('-');
  for (const Verb& verb : verbs()) {
    CLI::App* const part = app.add_subcommand(verb.name, verb.help);
    if (verb.hidden)
      part->group("")->prefix_command()->set_help_flag();
    else
      names.push_back(verb.name);
    OptionParser parser(*part);
    // Called once all of the line has been parsed.
    part->final_callback([&run, ready = verb.prepare(parser)] { run = ready; });
    known = known || verb.name == argv[1];
  }
  if (!known) {
    throw UsageError(fmt::format("there is no verb '{}'{} (verbs: {})", argv[1],
                                 did_you_mean(argv[1], names), fmt::join(names, ", ")));
  }
  Words words = with_negative_values_joined({argv.begin() + 1, argv.end()});
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    app.parse(words);
  } catch (const CLI::Success& success) {
    std::ostringstream text;
    const int code = app.exit(success, text, text);
    print_text(text.str());
    return code;
  } catch (const CLI::ParseError& error) {
    throw UsageError(with_suggestion(error.what(), app, argv));
  }
  return run(argv);
}

}  // namespace precipice::cli
