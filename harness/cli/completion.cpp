// precipice completion: scripts for bash, zsh and fish. Each asks `precipice __complete WORDS...`
// what the last word can become, so what it offers is never older than the program.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/cli/common_options.hpp"
#include "harness/cli/verb.hpp"
#include "harness/report/export.hpp"
#include "models/did_you_mean.hpp"
#include "models/model.hpp"
#include "models/options.hpp"
#include "workloads/workload.hpp"

namespace precipice::cli {
namespace {

const std::map<std::string, const char*> kScripts = {
    {"bash", R"sh(# bash completion for precipice: source <(precipice completion bash)
_precipice() {
  mapfile -t COMPREPLY < <(
    command precipice __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1)
  [ "${COMPREPLY[*]: -1}" = :files ] || return
  unset 'COMPREPLY[-1]'
  if [ ${#COMPREPLY[@]} -eq 0 ]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
  fi
}
complete -F _precipice precipice
)sh"},
    {"zsh", R"sh(#compdef precipice
# zsh completion: precipice completion zsh > ~/.zfunc/_precipice
_precipice() {
  local line files=
  local -a offered
  for line in "${(@f)$(command precipice __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line = :files ]]; then files=1; else offered+=("${${line//:/\\:}/$'\t'/:}"); fi
  done
  _describe precipice offered
  [[ -n $files ]] && _files
}
# Sourced it registers itself; out of a directory of functions its first call is a completion.
if [ "$funcstack[1]" = _precipice ]; then _precipice "$@"; else compdef _precipice precipice; fi
)sh"},
    {"fish",
     R"sh(# fish completion: precipice completion fish > ~/.config/fish/completions/precipice.fish
function __precipice
  set -l words (commandline -opc)
  set -l typed (commandline -ct)
  set -e words[1]
  for line in (command precipice __complete $words "$typed" 2>/dev/null)
    if test "$line" = :files
      __fish_complete_path "$typed"
    else
      printf '%s\n' $line
    end
  end
end
complete -c precipice -f -a '(__precipice)'
)sh"}};

/// What a word can become, each as "WORD" or "WORD<tab>HELP"; kFiles lets the shell add files.
using Offer = std::vector<std::string>;
constexpr const char* kFiles = ":files";

std::string offered(const std::string& word, const std::string& help) {
  return word + '\t' + help.substr(0, help.find('\n'));
}

template <class List>
Offer names(const List& list) {
  Offer offer;
  for (const auto& each : list) offer.emplace_back(each.name);
  return offer;
}

Offer suites() {
  Offer offer;
  for (const auto& [name, path] : known_suites()) offer.push_back(name);
  offer.emplace_back(kFiles);
  return offer;
}

Offer directories(const std::string& parent) {
  Offer offer;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(parent, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unseen;
    if (entry->is_directory(unseen)) offer.push_back(entry->path());
  }
  std::sort(offer.begin(), offer.end());
  return offer;
}

Offer runs() {
  Offer offer;
  for (const std::string& suite : directories("results")) {
    offer.push_back(suite);
    for (std::string& run : directories(suite)) offer.push_back(std::move(run));
  }
  offer.emplace_back(kFiles);
  return offer;
}

Offer baselines() {
  Offer offer;
  for (const std::string& path : directories("results/baselines"))
    offer.push_back(std::filesystem::path(path).filename());
  return offer;
}

/// By the name of an option or of a positional argument, in whichever verb it is.
const std::map<std::string, std::function<Offer()>> kValues = {
    {"--model", [] { return names(models()); }},
    {"--workload", [] { return names(workloads()); }},
    {"--as", [] { return names(exporters()); }},
    {"--clock",
     [] {
       return Offer{"real", "virtual"};
     }},
    {"--arrivals",
     [] {
       return Offer{"poisson", "fixed", "uniform"};
     }},
    {"--baseline", baselines},
    {"--save-baseline", baselines},
    {"--claims-of", runs},
    {"--out", [] { return Offer{kFiles}; }},
    {"--body", [] { return Offer{kFiles}; }},
    {"--expect", [] { return Offer{kFiles}; }},
    {"--ndjson", [] { return Offer{kFiles}; }},
    {"--hgrm", [] { return Offer{kFiles}; }},
    {"--hdr-log", [] { return Offer{kFiles}; }},
    {"run", runs},
    {"runs", runs},
    {"suite", suites},
    {"what",
     [] {
       return Offer{"models", "workloads", "suites"};
     }},
    {"shell", [] {
       return Offer{"bash", "zsh", "fish"};
     }}};

Offer values_of(const CLI::Option& option) {
  const auto known = kValues.find(option.get_name());
  return known == kValues.end() ? Offer{} : known->second();
}

/// `words` begin with the verb; the last one is being typed.
Offer offer_of(const Words& words) {
  Offer offer;
  if (words.size() < 2) {
    for (const Verb& verb : verbs()) {
      if (!verb.hidden) offer.push_back(offered(verb.name, verb.help));
    }
    offer.insert(offer.end(), {"--help", "--version"});
    return offer;
  }
  const auto verb = std::find_if(verbs().begin(), verbs().end(),
                                 [&](const Verb& each) { return each.name == words.front(); });
  if (verb == verbs().end()) return offer;
  CLI::App part;
  OptionParser parser(part);
  verb->prepare(parser);
  const std::string& before = words[words.size() - 2];
  const CLI::Option* const open =
      before.starts_with('-') ? part.get_option_no_throw(before) : nullptr;
  if (open != nullptr && open->get_items_expected_max() > 0) return values_of(*open);
  for (const CLI::Option* option : part.get_options()) {
    if (option->get_positional() && !words.back().starts_with('-')) return values_of(*option);
    if (!option->get_lnames().empty())
      offer.push_back(offered("--" + option->get_lnames().front(), option->get_description()));
  }
  return offer;
}

struct CompletionArguments {
  std::string shell;
};

void add_options(OptionParser& parser, CompletionArguments& a) {
  parser.add_required("shell", a.shell, "bash, zsh or fish");
  parser.footer(
      "Examples:\n  source <(precipice completion bash)\n"
      "  precipice completion fish > ~/.config/fish/completions/precipice.fish");
}

int completion(const CompletionArguments& arguments) {
  const auto script = kScripts.find(arguments.shell);
  if (script == kScripts.end()) {
    throw UsageError(fmt::format("completion '{}': there are bash, zsh and fish{}", arguments.shell,
                                 did_you_mean(arguments.shell, {"bash", "zsh", "fish"})));
  }
  print_data(script->second);
  return kDone;
}

struct NoArguments {};

int complete(const NoArguments&, const Words& argv) {
  const Words words(argv.begin() + 2, argv.end());
  const std::string typed = words.empty() ? "" : words.back();
  std::string text;
  for (const std::string& each : offer_of(words)) {
    if (each.starts_with(typed) || each == kFiles) text += each + '\n';
  }
  print_data(text);
  return kDone;
}

}  // namespace

Verb completion_verb() {
  return make_verb<CompletionArguments>("completion", "A script that completes the command line",
                                        add_options, completion);
}

Verb complete_verb() {
  Verb verb = make_verb<NoArguments>(
      "__complete", "What the last word can become", +[](OptionParser&, NoArguments&) {}, complete);
  verb.hidden = true;
  return verb;
}

}  // namespace precipice::cli
