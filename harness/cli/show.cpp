// precipice show: the table and small curves of a run, in the terminal again.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/capacity/indicative.hpp"
#include "harness/cli/common_options.hpp"
#include "harness/json.hpp"
#include "harness/report/capacity_table.hpp"
#include "harness/report/ranking_table.hpp"
#include "harness/report/tail_curves.hpp"
#include "harness/report/terminal.hpp"
#include "harness/report/text_style.hpp"
#include "harness/report/verdict_text.hpp"
#include "harness/shown_text.hpp"
#include "harness/store/run_reader.hpp"
#include "harness/store/summary_files.hpp"

namespace precipice::cli {
namespace {

struct ShowArguments {
  std::string run;
  bool json = false;
};

int show(const ShowArguments& arguments) {
  const RunArchive run = open_run(arguments.run);
  remark(run.remark);
  if (arguments.json) {
    Json json = summary_json(run.plan.name, run.result);
    json["directory"] = run.directory;
    json["remark"] = run.remark;
    print_json(json);
    return kDone;
  }
  const TableStyle style = Terminal(stdout).style();
  const auto said = [&](const char* field) {
    return shown_in_line(run.manifest->value(field, std::string()));
  };
  std::string text =
      wrapped(fmt::format("{}: begun {}{}, commit {}", shown_in_line(run.name), said("started"),
                          said("ended").empty() ? "" : ", ended " + said("ended"), said("git_sha")),
              style, 2);
  const RunRanking ranked = rank_models(run.result);
  const std::string nothing = nothing_valid(run.result);
  if (nothing.empty()) text = verdict_text(verdicts_of(run.result, ranked), style) + '\n' + text;
  text += '\n' + table(run.result, style) + '\n' + curves(run.result, style);
  if (!nothing.empty())
    text += '\n' + wrapped(shown_in_line(nothing), style);
  else if (const std::string order = ranking(ranked, style); !order.empty())
    text += '\n' + order;
  print_text(text + fmt::format("\nfiles: {}\n", shown_in_line(run.directory)));
  return kDone;
}

void add_options(OptionParser& parser, ShowArguments& a) {
  add_run(parser, a.run);
  parser.add_flag("--json", a.json, "Its summary as one JSON document on stdout");
  parser.footer(
      "Example:\n  precipice show results/quick\n"
      "Curves are p99 over offered load; NO_COLOR, COLUMNS and a pipe are respected.");
}

}  // namespace

Verb show_verb() {
  return make_verb<ShowArguments>("show", "The table and small curves of a run, once more",
                                  add_options, show);
}

}  // namespace precipice::cli
