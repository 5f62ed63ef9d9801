#include "harness/host/redact.hpp"

#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/host/machine.hpp"
#include "harness/json.hpp"
#include "tests/support/sample_files.hpp"
#include "tests/support/sample_server.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;
using testing::intel_server;
using testing::SampleFiles;

const Secrets kSecrets{{"/home/jane", "/home/jane/work/tests"}, {"jane", "lab-pc7", "vm"}};

TEST(Anonymous, ReplacesWholeWordsOnly) {
  EXPECT_EQ(without_secrets("made by jane@lab-pc7 in /home/jane/work/tests/a", kSecrets),
            "made by (name)@(name) in (path)/a");
  EXPECT_EQ(without_secrets("kvm-clock on janet's vmx, vm_x", kSecrets),
            "kvm-clock on janet's vmx, vm_x");
  EXPECT_EQ(without_secrets("10.1.2.3:80 fe80::1 127.0.0.1 12:30:05 1.2.3", kSecrets),
            "(address):80 (address) 127.0.0.1 12:30:05 1.2.3");
}

TEST(Anonymous, KeepsWhatAnArgumentMeansAndDropsWhereItLies) {
  EXPECT_EQ(
      anonymous_argv({"/home/jane/bin/precipice", "run", "/home/jane/q.toml", "--out", "/srv/jane",
                      "--only", "cpu:work=20us", "--out=x/jane", "trace(/home/jane/t.txt)"},
                     kSecrets),
      (std::vector<std::string>{"precipice", "run", "q.toml", "--out", "DIR", "--only",
                                "cpu:work=20us", "--out=DIR", "trace(t.txt)"}));
}

TEST(Anonymous, EnvironmentKeepsOnlyOptionsOfTheKernelThatChangeANumber) {
  auto files = intel_server();
  files["/sys/class/dmi/id/product_name"] = "Jane's PC 00123";
  Json environment = machine_json(SampleFiles(files));
  environment["build"]["libraries"]["toml++"] = "3.3.0.1";
  const Json json = anonymous_environment(environment, kSecrets);
  EXPECT_EQ(json["kernel"]["command_line"], "isolcpus=2,3 mitigations=auto");
  EXPECT_TRUE(json["virtualisation"]["product"].is_null());
  EXPECT_EQ(json["build"]["libraries"]["toml++"], "3.3.0.1");
  EXPECT_EQ(json["anonymous"], true);
  EXPECT_EQ(json["cpu"], environment["cpu"]);
}

bool has_word(const std::string& text, const std::string& word) {
  const auto in_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !in_word(text[at - 1])) && (end == text.size() || !in_word(text[end])))
      return true;
  }
  return false;
}

TEST(Anonymous, RunNamesNeitherHostNorUserNorPlace) {
  std::string place = (fs::temp_directory_path() / "precipice-janes-place-XXXXXX").string();
  ASSERT_NE(mkdtemp(place.data()), nullptr);
  std::ofstream(place + "/tiny.toml") << R"(schema = 1
name = "tiny"
seed = 1
blocks = 1
slo = "p99 < 500ms"
[load]
window = "50ms"
coarse_window = "20ms"
warmup = "10ms"
drain = "100ms"
[search]
refine = [0.9]
overload = []
grid = []
repeats = 0
[[model]]
use = "oracle"
mean = "2ms"
[[workload]]
use = "empty"
)";
  const std::string command = "cd " + place + " && USER=jane-secret-user HOME=" + place +
                              "/home-of-jane PRECIPICE_SCRATCH=" + place +
                              "/scratch timeout 120 " PRECIPICE_BINARY " run " + place +
                              "/tiny.toml --anonymous --force --out " + place +
                              "/results >out.txt 2>err.txt </dev/null";
  const int status = std::system(command.c_str());
  ASSERT_TRUE(WIFEXITED(status));
  // 3 where the machine is too busy for a valid trial: the files are there all the same.
  const std::string errors = [&] {
    std::ifstream file(place + "/err.txt");
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  EXPECT_TRUE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3) << errors;
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  std::vector<std::string> names = {host, "jane-secret-user"};
  if (const passwd* user = getpwuid(getuid()); user != nullptr) names.emplace_back(user->pw_name);
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(place + "/results")) {
    if (!entry.is_regular_file()) continue;
    ++files;
    std::ifstream file(entry.path());
    const std::string text(std::istreambuf_iterator<char>(file), {});
    EXPECT_EQ(text.find(place), std::string::npos) << entry.path();
    EXPECT_EQ(text.find("home-of-jane"), std::string::npos) << entry.path();
    for (const std::string& name : names)
      EXPECT_FALSE(!name.empty() && has_word(text, name)) << name << " in " << entry.path();
  }
  EXPECT_GE(files, 5) << errors;
  fs::remove_all(place);
}

}  // namespace
}  // namespace precipice
