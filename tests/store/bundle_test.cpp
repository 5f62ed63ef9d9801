// One archive of a run: whole, the same each time, and without names where it is to have none.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "harness/json.hpp"
#include "harness/store/redact_run.hpp"
#include "harness/store/summary_files.hpp"
#include "tests/support/command_line.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;
using testing::two_queues;
using Json = nlohmann::json;

class Bundles : public testing::CommandLine {
 protected:
  /// A finished run with a figure and a report that nobody has to draw.
  std::string run_with_figures(const std::string& suite = two_queues()) const {
    const std::string made = finished_run(suite);
    fs::create_directories(directory_ + "/" + made + "/figures");
    write(made + "/figures/response-empty.svg", "<svg>of greyhound</svg>");
    write(made + "/report.html", "<html>by agatha</html>");
    return made;
  }
  /// Unpacks and returns the one directory in it.
  std::string unpacked(const std::string& archive, const std::string& into) const {
    const Ended ended = shell("mkdir " + into + " && tar -xzf " + archive + " -C " + into);
    EXPECT_EQ(ended.code, 0) << ended.err;
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(directory_ + "/" + into))
      found.push_back(into + "/" + entry.path().filename().string());
    EXPECT_EQ(found.size(), 1u);
    return found.empty() ? "" : found.front();
  }
  std::set<std::string> files_in(const std::string& place) const {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(directory_ + "/" + place)) {
      if (entry.is_regular_file())
        names.insert(entry.path().lexically_relative(directory_ + "/" + place));
    }
    return names;
  }
};

TEST_F(Bundles, HoldAllOfARunAndAreReadAsOne) {
  const std::string made = run_with_figures();
  const Ended ended = run("bundle " + made + " -o artifact.tar.gz --json");
  ASSERT_EQ(ended.code, 0) << ended.err;
  const Json json = Json::parse(ended.out);
  EXPECT_EQ(json.at("sha256").get<std::string>() + "  artifact.tar.gz\n",
            shell("sha256sum artifact.tar.gz").out);
  EXPECT_EQ(json.at("bytes"), fs::file_size(directory_ + "/artifact.tar.gz"));
  const std::string place = unpacked("artifact.tar.gz", "u");
  const std::set<std::string> files = files_in(place);
  EXPECT_EQ(json.at("files"), files.size());
  for (const std::string& name : files_in(made)) {
    EXPECT_TRUE(files.contains("run/" + name)) << name;
    EXPECT_EQ(text_of(place + "/run/" + name), text_of(made + "/" + name)) << name;
  }
  EXPECT_EQ(shell("cd " + place + " && sha256sum --strict -c SHA256SUMS").code, 0);
  const std::string sums = text_of(place + "/SHA256SUMS");
  EXPECT_EQ(static_cast<std::size_t>(std::count(sums.begin(), sums.end(), '\n')), files.size() - 1);
  // The archive says the same as the run.
  Json a = Json::parse(run("show " + made + " --json").out);
  Json b = Json::parse(run("show " + place + "/run --json").out);
  a.erase("directory");
  b.erase("directory");
  EXPECT_EQ(a, b);
}

TEST_F(Bundles, DescribeTheArtifact) {
  const std::string made =
      run_with_figures(two_queues("[[claim]]\nsay = \"fixed goes further\"\nthat = "
                                  "\"cliff(oracle:mean=1ms,service=fixed, empty) > "
                                  "cliff(oracle:mean=1ms,service=exponential, empty)\"\n"));
  ASSERT_EQ(run("bundle " + made + " -o a.tar.gz").code, 0);
  const std::string place = unpacked("a.tar.gz", "u"), text = text_of(place + "/ARTIFACT.md");
  for (const char* part :
       {"## Hardware", "- CPUs online: ", "## Software", "- kernel: ", "- compiler: ", "## Steps",
        "scripts/reproduce.sh", "sha256sum -c", "## Time and disk", "- measuring: took ",
        "- this archive unpacked: ", "## Claims", "- fixed goes further: `cliff("})
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
  // Every file that it names is there.
  for (std::size_t at = text.find("| `"); at != std::string::npos; at = text.find("| `", at + 1)) {
    const std::string name = text.substr(at + 3, text.find('`', at + 3) - at - 3);
    const bool pattern = name.find('*') != std::string::npos;
    EXPECT_TRUE(pattern || fs::exists(directory_ + "/" + place + "/" + name)) << name;
  }
}

TEST_F(Bundles, StepsOfTheDescriptionWorkInAShellWhateverTheRunIsCalled) {
  std::string suite = two_queues();
  suite.replace(suite.find("\"two\""), 5, "\"-two\"");
  const std::string made = finished_run(suite);
  fs::rename(directory_ + "/" + made, directory_ + "/it's #1; $(touch ran)");
  ASSERT_EQ(run("bundle \"it's #1; \\$(touch ran)\" -o a.tar.gz").code, 0);
  const std::string place = unpacked("a.tar.gz", "u"), text = text_of(place + "/ARTIFACT.md");
  EXPECT_EQ(place, "u/-two-it's #1; $(touch ran)");
  const auto step = [&](const std::string& begin, const std::string& end) {
    const std::size_t from = text.find(begin), to = text.find(end, from);
    return from == std::string::npos || to == std::string::npos ? "false"
                                                                : text.substr(from, to - from);
  };
  const std::string unpack = step("    tar -xzf ", "\n\nthen");
  const std::string show = step("build/release/precipice show ", "\n\n");
  write("steps.sh", unpack + "\ncd .. && " PRECIPICE_BINARY +
                        show.substr(std::string("build/release/precipice").size()) + "\n");
  const Ended ended = shell("cp a.tar.gz u/ARCHIVE.tar.gz && cd u && sh -e ../steps.sh");
  EXPECT_EQ(ended.code, 0) << ended.err << unpack << show;
  EXPECT_NE(ended.out.find("run/points.csv: OK"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("cliff/s"), std::string::npos) << ended.out;
  EXPECT_FALSE(fs::exists(directory_ + "/u/ran"));
}

TEST_F(Bundles, TheSameRunGivesTheSameBytes) {
  const std::string made = run_with_figures();
  ASSERT_EQ(run("bundle " + made + " -o one.tar.gz").code, 0);
  ASSERT_EQ(shell("cp -r " + made + " " + made + "-later && touch " + made + "/* && chmod 600 " +
                  made + "/*.csv")
                .code,
            0);
  ASSERT_EQ(run("bundle " + made + " -o two.tar.gz").code, 0);
  EXPECT_TRUE(text_of("one.tar.gz") == text_of("two.tar.gz"));
}

TEST_F(Bundles, HoldTheTraceThatWasRunAndNotWhatBecameOfIt) {
  std::string suite = two_queues();
  suite.replace(suite.find("clock ="), 7, "arrivals = \"trace(day.txt)\"\nclock =");
  write("day.txt", "0\n0.4\n1.1\n1.9\n2.5\n");
  const std::string made = run_with_figures(suite);
  const std::string before = run("show " + made).out;
  EXPECT_EQ(text_of(made + "/trace.txt"), text_of("day.txt"));
  write("day.txt", "0\n9\n");
  write("trace.txt", "0\n9\n");
  ASSERT_EQ(run("bundle " + made + " -o a.tar.gz").code, 0);
  const std::string place = unpacked("a.tar.gz", "u");
  EXPECT_EQ(text_of(place + "/run/trace.txt"), text_of(made + "/trace.txt"));
  EXPECT_FALSE(fs::exists(directory_ + "/" + place + "/run/day.txt"));
  // The run is read without the trace that it was begun with.
  fs::remove(directory_ + "/day.txt");
  EXPECT_EQ(run("show " + made).out, before);
  EXPECT_EQ(run("run " + place + "/run/suite.toml --dry-run").code, 0);
}

TEST_F(Bundles, ADirectoryTakesTheArchiveUnderTheRunsName) {
  const std::string made = run_with_figures();
  ASSERT_EQ(run("bundle " + made + " -o out/").code, 0);
  const std::string time = fs::path(made).filename();
  EXPECT_TRUE(fs::exists(directory_ + "/out/two-" + time + ".tar.gz"));
  EXPECT_EQ(run("bundle " + made + " -o /proc/none/x.tar.gz").code, 5);
  EXPECT_EQ(run("bundle nowhere").code, 2);
  EXPECT_EQ(run("bundle " + made + " -o /dev/null").code, 2);
  EXPECT_EQ(run("bundle " + made + " --hide word").code, 2);
}

/// Words of one kind of character: `vm` in a text, and not the two bytes in the middle of others.
bool holds_word(const std::string& text, const std::string& word) {
  const auto letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !letter(text[at - 1])) && (end == text.size() || !letter(text[end])))
      return true;
  }
  return false;
}

TEST_F(Bundles, WithoutNamesNoFileHoldsTheNamesOfHostUserOrPlace) {
  // What a careless author leaves in a suite, in paths and in notes.
  fs::create_directories(directory_ + "/agatha-lab");
  write("agatha-lab/monday.trace", "0.0\n0.4\n1.1\n1.9\n2.5\n3.9\n4.2\n5.5\n");
  std::string suite = two_queues(
      "[[claim]]\nsay = \"As agatha saw on greyhound (10.1.2.3, agatha@uni.example): fixed goes "
      "further, see /home/agatha/notes and https://git.example/agatha/precipice\"\n"
      "that = \"cliff(oracle:mean=1ms,service=fixed, empty) > "
      "cliff(oracle:mean=1ms,service=exponential, empty)\"\n");
  suite.replace(suite.find("clock ="), 7,
                "arrivals = \"trace(" + directory_ + "/agatha-lab/monday.trace)\"\nclock =");
  const std::string made = run_with_figures(suite);
  write(made + "/figures/notes.txt", "drawn by agatha");
  Json manifest = Json::parse(text_of(made + "/manifest.json"));
  manifest["argv"].push_back("--out=/home/agatha/results");
  manifest["note"] = "on greyhound, of the Institute for Waiting";
  write(made + "/manifest.json", manifest.dump(2));

  const Ended ended =
      run("bundle " + made + " --anonymous --hide 'Institute for Waiting' -o blind.tar.gz",
          "USER=agatha HOME=/home/agatha HOSTNAME=greyhound MPLCONFIGDIR=" + directory_ + "/mpl");
  ASSERT_EQ(ended.code, 0) << ended.err;
  const std::string place = unpacked("blind.tar.gz", "u");
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  const std::string commit = manifest.at("git_sha");
  const std::vector<std::string> hidden = {
      "agatha",          "greyhound", "Institute",
      "monday",          "10.1.2.3",  "uni.example",
      "git.example",     directory_,  fs::path(directory_).filename(),
      std::string(host), commit,      PRECIPICE_SOURCE_DIR};
  const std::set<std::string> files = files_in(place);
  EXPECT_TRUE(files.contains("run/journal.jsonl"));
  EXPECT_TRUE(files.contains("run/trace.txt"));
  for (const std::string& name : files) {
    const std::string bytes = text_of(place + "/" + name);
    // In compressed pictures and in the page's minified program short words stand by chance.
    const bool compressed = bytes.find('\0') != std::string::npos || name.ends_with(".html");
    for (const std::string& word : hidden) {
      if (word.size() < (compressed ? 4u : 2u)) continue;
      EXPECT_FALSE(holds_word(bytes, word)) << word << " is in " << name;
      EXPECT_FALSE(holds_word(name, word)) << word << " is in the name " << name;
    }
  }
  EXPECT_EQ(shell("tar -tzvf blind.tar.gz | grep -v ' 0/0 '").out, "");
  EXPECT_EQ(shell("cd " + place + " && sha256sum --quiet -c SHA256SUMS").code, 0);
  // What was drawn is drawn again or left out, and that is said.
  EXPECT_EQ(text_of(place + "/run/figures/response-empty.svg").find("greyhound"),
            std::string::npos);
  EXPECT_EQ(text_of(place + "/run/report.html").find("by agatha"), std::string::npos);
  EXPECT_FALSE(files.contains("run/figures/notes.txt"));
  EXPECT_NE(ended.err.find("figures/notes.txt"), std::string::npos) << ended.err;
  // The figures that count are those of the run.
  const Json before = Json::parse(run("show " + made + " --json").out);
  const Json after = Json::parse(run("show " + place + "/run --json").out);
  ASSERT_EQ(before.at("cells").size(), after.at("cells").size());
  for (std::size_t i = 0; i < before.at("cells").size(); ++i)
    EXPECT_EQ(before.at("cells")[i].at("cliff_per_s"), after.at("cells")[i].at("cliff_per_s"));
  // And its suite runs, with the trace beside it.
  EXPECT_EQ(run("run " + place + "/run/suite.toml --dry-run").code, 0);
  EXPECT_EQ(run("check " + place + "/run").code, run("check " + made).code);
}

TEST_F(Bundles, ANameThatIsAlsoASettingIsRefused) {
  const std::string made = run_with_figures();
  const Ended ended = run("bundle " + made + " --anonymous --hide exponential -o x.tar.gz");
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.err.find("cannot be taken out"), std::string::npos) << ended.err;
  EXPECT_FALSE(fs::exists(directory_ + "/x.tar.gz"));
}

TEST_F(Bundles, AnonymousOnesNameNoTargetAndNoneOfItsSecrets) {
  fs::create_directories(directory_ + "/run");
  write("run/manifest.json", "{}");
  write("run/suite.toml",
        "[[target]]\nname = \"mine\"\nurl = \"http://api.wren.example:8080/item\"\n"
        "headers = [\"Accept: text/plain\", \"Host: inner.wren.example:81\", \"X-Key: "
        "\\\"k7f\\\"\"]\n"
        "[[target]]\nname = \"local\"\nurl = \"http://127.0.0.1:80/\"\n");
  const Secrets secrets = secrets_of_run(directory_ + "/run", {});
  const std::string clean = anonymous_text(
      "drive http://api.wren.example:8080/ with inner.wren.example of 127.0.0.1, \"k7f\", mine, "
      "text/plain",
      secrets);
  EXPECT_EQ(clean, "drive http:(path):8080/ with (name) of 127.0.0.1, (name), mine, text/plain");
}

TEST(AnonymousText, TakesOutPathsAddressesAndNamesAndNothingElse) {
  const Secrets secrets{.paths = {"/srv/agatha"}, .names = {"greyhound", "agatha"}};
  const auto clean = [&](const char* text) { return anonymous_text(text, secrets); };
  EXPECT_EQ(clean("5000/s at p99 <= 10ms, 1/2 of 3/4"), "5000/s at p99 <= 10ms, 1/2 of 3/4");
  EXPECT_EQ(clean("on greyhound."), "on (name).");
  EXPECT_EQ(clean("greyhounds run"), "greyhounds run");
  EXPECT_EQ(clean("see /home/x/notes.txt, then"), "see (path), then");
  EXPECT_EQ(clean("~/data/run and ../up/there"), "(path) and (path)");
  EXPECT_EQ(clean("/proc/stat and /dev/shm/x stay"), "/proc/stat and /dev/shm/x stay");
  EXPECT_EQ(clean("mail agatha@uni.example now"), "mail (address) now");
  EXPECT_EQ(clean("git@host.example:me/it"), "(address):me/it");
  EXPECT_EQ(clean("from 10.0.0.7:80"), "from (address):80");
  EXPECT_EQ(clean("trace(/srv/agatha/monday.txt)"), "trace(trace.txt)");
  EXPECT_EQ(clean("bimodal(0.9,0.5,5.5)"), "bimodal(0.9,0.5,5.5)");
}

}  // namespace
}  // namespace precipice
