#include "harness/store/subprocess.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "models/options.hpp"

namespace precipice {
namespace {

/// Closed when it goes out of scope.
struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    if (pipe2(ends, O_CLOEXEC) != 0)
      throw std::runtime_error(fmt::format("no pipe: {}", std::strerror(errno)));
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(int which) {
    if (ends[which] >= 0) close(ends[which]);
    ends[which] = -1;
  }
};

struct Actions {
  posix_spawn_file_actions_t value;
  Actions() { posix_spawn_file_actions_init(&value); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() { posix_spawn_file_actions_destroy(&value); }
};

}  // namespace

std::string run_tool(const std::vector<std::string>& argv, const std::string& directory) {
  Pipe pipe;
  Actions actions;
  posix_spawn_file_actions_addchdir_np(&actions.value, directory.c_str());
  posix_spawn_file_actions_adddup2(&actions.value, pipe.ends[1], STDOUT_FILENO);
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t child = -1;
  const int error =
      posix_spawnp(&child, words.front(), &actions.value, nullptr, words.data(), environ);
  if (error != 0)
    throw Unavailable(fmt::format("{}: {}; install it", argv.front(), std::strerror(error)));
  pipe.close_end(1);
  std::string out;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = read(pipe.ends[0], buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    out.append(buffer, static_cast<std::size_t>(got));
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error(fmt::format("{} failed with {}", argv.front(),
                                         WIFEXITED(status) ? WEXITSTATUS(status) : -1));
  return out;
}

}  // namespace precipice
