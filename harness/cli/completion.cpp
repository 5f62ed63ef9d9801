// precipice completion: scripts for bash, zsh and fish.
#include "harness/cli/completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "harness/report/export.hpp"
#include "models/options.hpp"

namespace precipice::cli {
namespace {

struct Verb {
  std::string name, describe;
  std::vector<const CLI::Option*> options;
};

std::vector<Verb> verbs_of(const CLI::App& app) {
  std::vector<Verb> verbs;
  for (const CLI::App* each : app.get_subcommands({})) {
    Verb verb{each->get_name(), each->get_description(), {}};
    for (const CLI::Option* option : each->get_options()) {
      if (!option->get_lnames().empty()) verb.options.push_back(option);
    }
    verbs.push_back(std::move(verb));
  }
  return verbs;
}

std::string long_name(const CLI::Option& option) { return "--" + option.get_lnames().front(); }

std::string names(const Verb& verb) {
  std::string text;
  for (const CLI::Option* option : verb.options)
    text += (text.empty() ? "" : " ") + long_name(*option);
  return text;
}

std::string verb_names(const std::vector<Verb>& verbs) {
  std::string text;
  for (const Verb& verb : verbs) text += (text.empty() ? "" : " ") + verb.name;
  return text;
}

/// Options whose values are known beforehand.
std::map<std::string, std::string> known_values() {
  std::string formats;
  for (const Exporter& each : exporters())
    formats += (formats.empty() ? "" : " ") + std::string(each.name);
  return {{"--as", formats}, {"--clock", "real virtual"}, {"--arrivals", "poisson fixed uniform"}};
}

/// Options with a value that nothing here knows: what follows them is no option and no run.
std::string others_with_value(const std::vector<Verb>& verbs) {
  std::set<std::string> found;
  for (const Verb& verb : verbs) {
    for (const CLI::Option* option : verb.options) {
      if (option->get_items_expected_max() > 0) found.insert(long_name(*option));
    }
  }
  for (const auto& [option, values] : known_values()) found.erase(option);
  for (const char* known :
       {"--model", "--workload", "--baseline", "--save-baseline", "--claims-of", "--out"})
    found.erase(known);
  return fmt::format("{}", fmt::join(found, "|"));
}

bool reads_runs(const std::string& verb) {
  constexpr std::string_view verbs[] = {"check", "compare", "export", "show", "bundle"};
  return std::find(std::begin(verbs), std::end(verbs), verb) != std::end(verbs);
}

/// The first line of a description, for single quotes: `quote` stands for one of them, `colon` for
/// what separates fields.
std::string described(const std::string& text, std::string_view quote, std::string_view colon) {
  std::string result;
  for (const char c : text.substr(0, text.find('\n'))) {
    if (c == '[' || c == ']' || c == '\\') continue;
    if (c == '\'')
      result += quote;
    else if (c == ':')
      result += colon;
    else
      result += c;
  }
  return result;
}

std::string for_zsh(const std::string& text) { return described(text, R"('\'')", R"(\:)"); }
std::string for_fish(const std::string& text) { return described(text, R"(\')", ":"); }

/// Both shells of the Bourne family ask the program for what may have changed since.
constexpr const char* kLists = R"sh(
_precipice_list() { command precipice list "$1" 2>/dev/null | sed -n 's/^  \([a-z][A-Za-z0-9_.-]*\).*/\1/p'; }
_precipice_runs() {
  local each
  [ -n "$ZSH_VERSION" ] && setopt localoptions nullglob
  for each in results/*/ results/*/*/; do
    [ -e "$each" ] && printf '%s\n' "${each%/}"
  done
}
_precipice_baselines() {
  local each
  [ -n "$ZSH_VERSION" ] && setopt localoptions nullglob
  for each in results/baselines/*/; do
    [ -e "$each" ] && each=${each%/} && printf '%s\n' "${each##*/}"
  done
}
)sh";

std::string bash(const std::vector<Verb>& verbs) {
  std::string text = "# bash completion for precipice: source <(precipice completion bash)";
  text += kLists;
  text += R"sh(
_precipice() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}
  local words= files=
  if [ "$COMP_CWORD" -eq 1 ]; then
)sh";
  text += fmt::format("    words='{} --help --version'\n  else\n    case $before in\n",
                      verb_names(verbs));
  for (const auto& [option, values] : known_values())
    text += fmt::format("      {}) words='{}' ;;\n", option, values);
  text += R"sh(      --model) words=$(_precipice_list models) ;;
      --workload) words=$(_precipice_list workloads) ;;
      --baseline|--save-baseline) words=$(_precipice_baselines) ;;
      --claims-of) words=$(_precipice_runs); files=1 ;;
      --out|-o) files=1 ;;
)sh";
  text += fmt::format("      {}) ;;\n      *)\n        case $verb in\n", others_with_value(verbs));
  for (const Verb& verb : verbs) {
    std::string more;
    if (verb.name == "run")
      more = "; [ \"${word#-}\" = \"$word\" ] && words=\"$(_precipice_list suites)\" && files=1";
    if (verb.name == "list") more = "; words=\"$words models workloads suites\"";
    if (verb.name == "completion") more = "; words=\"$words bash zsh fish\"";
    if (reads_runs(verb.name))
      more = "; [ \"${word#-}\" = \"$word\" ] && words=\"$(_precipice_runs)\" && files=1";
    text += fmt::format("          {}) words='{}'{} ;;\n", verb.name, names(verb), more);
  }
  text += R"sh(        esac ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [ -n "$files" ] && [ ${#COMPREPLY[@]} -eq 0 ]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -F _precipice precipice
)sh";
  return text;
}

std::string zsh(const std::vector<Verb>& verbs) {
  std::string text =
      "#compdef precipice\n# zsh completion: precipice completion zsh > ~/.zfunc/_precipice\n";
  text += kLists;
  text += "_precipice() {\n  local -a verbs\n  verbs=(\n";
  for (const Verb& verb : verbs)
    text += fmt::format("    '{}:{}'\n", verb.name, for_zsh(verb.describe));
  text +=
      "  )\n  if (( CURRENT == 2 )); then\n    _describe verb verbs\n    return\n  fi\n"
      "  local verb=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $verb in\n";
  const std::map<std::string, std::string> values = known_values();
  for (const Verb& verb : verbs) {
    text += fmt::format("    {}) _arguments", verb.name);
    for (const CLI::Option* option : verb.options) {
      const std::string name = long_name(*option);
      std::string action;
      if (option->get_items_expected_max() > 0) {
        action = ":value:";
        const auto known = values.find(name);
        if (known != values.end()) action += "(" + known->second + ")";
        if (name == "--model") action += "($(_precipice_list models))";
        if (name == "--workload") action += "($(_precipice_list workloads))";
        if (name == "--baseline") action += "($(_precipice_baselines))";
        if (name == "--out" || name == "--claims-of") action += "_files";
      }
      text +=
          fmt::format(" \\\n      '{}[{}]{}'", name, for_zsh(option->get_description()), action);
    }
    if (verb.name == "run")
      text += " \\\n      '*:suite:{ compadd -- $(_precipice_list suites); _files -g \"*.toml\" }'";
    else if (verb.name == "list")
      text += " \\\n      ':what:(models workloads suites)'";
    else if (verb.name == "completion")
      text += " \\\n      ':shell:(bash zsh fish)'";
    else if (reads_runs(verb.name))
      text += " \\\n      '*:run:{ compadd -- $(_precipice_runs); _files -/ }'";
    text += " ;;\n";
  }
  // Sourced it registers itself; out of a directory of functions its first call is a completion.
  return text +
         "  esac\n}\nif [ \"$funcstack[1]\" = _precipice ]; then\n  _precipice \"$@\"\nelse\n"
         "  compdef _precipice precipice\nfi\n";
}

std::string fish(const std::vector<Verb>& verbs) {
  std::string text =
      "# fish completion: precipice completion fish > ~/.config/fish/completions/precipice.fish\n"
      "complete -c precipice -f\n"
      "function __precipice_list\n"
      "  command precipice list $argv 2>/dev/null | string match -r -g '^  "
      "([a-z][A-Za-z0-9_.-]*)'\n"
      "end\n";
  const std::map<std::string, std::string> values = known_values();
  for (const Verb& verb : verbs) {
    text += fmt::format("complete -c precipice -n __fish_use_subcommand -a {} -d '{}'\n", verb.name,
                        for_fish(verb.describe));
    const std::string seen = fmt::format("'__fish_seen_subcommand_from {}'", verb.name);
    for (const CLI::Option* option : verb.options) {
      const std::string name = long_name(*option);
      text += fmt::format("complete -c precipice -n {} -l {} -d '{}'", seen, name.substr(2),
                          for_fish(option->get_description()));
      if (option->get_items_expected_max() > 0) {
        text += " -r";
        const auto known = values.find(name);
        if (known != values.end()) text += fmt::format(" -a '{}'", known->second);
        if (name == "--model") text += " -a '(__precipice_list models)'";
        if (name == "--workload") text += " -a '(__precipice_list workloads)'";
        if (name == "--out" || name == "--claims-of") text += " -F";
      }
      text += '\n';
    }
    std::string more = "-F";
    if (verb.name == "run") more = "-F -a '(__precipice_list suites)'";
    if (verb.name == "list") more = "-a 'models workloads suites'";
    if (verb.name == "completion") more = "-a 'bash zsh fish'";
    if (more == "-F" && !reads_runs(verb.name)) continue;
    text += fmt::format("complete -c precipice -n {} {}\n", seen, more);
  }
  return text;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  const std::vector<Verb> verbs = verbs_of(app);
  if (shell == "bash") return bash(verbs);
  if (shell == "zsh") return zsh(verbs);
  if (shell == "fish") return fish(verbs);
  const std::string near = nearest_name(shell, {"bash", "zsh", "fish"});
  throw UsageError(fmt::format("completion '{}': there are bash, zsh and fish{}", shell,
                               near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

}  // namespace precipice::cli
