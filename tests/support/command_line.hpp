// The program through a shell, as a user meets it, in a directory of its own.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace precipice::testing {

class CommandLine : public ::testing::Test {
 protected:
  struct Ended {
    int code = -1;
    std::string out, err;
  };

  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "precipice-cli-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  Ended shell(const std::string& command) const {
    const std::string all =
        "cd " + directory_ + " && { " + command + "; } >out.txt 2>err.txt </dev/null";
    const int status = std::system(all.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of("out.txt"), text_of("err.txt")};
  }
  /// `settings` are of the environment, as in "NO_COLOR=1 COLUMNS=60".
  Ended run(const std::string& arguments, const std::string& settings = "") const {
    return shell(settings + " " PRECIPICE_BINARY " " + arguments);
  }

  /// A finished run of the suite on the virtual clock, relative to the directory.
  std::string finished_run(const std::string& suite, const std::string& out = "results") const {
    write("suite.toml", suite);
    const Ended ended = run("run suite.toml --fresh --out " + out,
                            "PRECIPICE_DIRECTORY_FILE=" + directory_ + "/directory.txt");
    EXPECT_EQ(ended.code, 0) << ended.err;
    std::string directory = text_of("directory.txt");
    while (directory.ends_with('\n')) directory.pop_back();
    return directory;
  }

  std::string text_of(const std::string& name) const {
    std::ifstream file(std::filesystem::path(directory_) / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(std::filesystem::path(directory_) / name) << text;
  }

  std::string directory_;
};

/// Two queues, known in closed form, in two blocks of virtual time. `more` goes to the end: claims.
inline std::string two_queues(const std::string& more = "", int blocks = 2) {
  return R"toml(schema = 1
name = "two"
seed = 7
slo = "p99 < 10xS"
blocks = )toml" +
         std::to_string(blocks) + R"toml(
[load]
clock = "virtual"
window = "10s"
coarse_window = "3s"
[search]
refine = [0.9, 1.0, 1.1]
overload = [1.5]
grid = [0.3]
[[model]]
use = "oracle"
mean = "1ms"
service = ["fixed", "exponential"]
[[workload]]
use = "empty"
)toml" + more;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

}  // namespace precipice::testing
