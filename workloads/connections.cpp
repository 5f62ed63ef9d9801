#include "workloads/connections.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace precipice {

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  std::size_t used = 0;
  if (DIR* open = opendir("/proc/self/fd")) {
    while (readdir(open) != nullptr) ++used;
    closedir(open);
  } else if (errno == EMFILE || errno == ENFILE) {
    return 0;
  }
  return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

ConnectionPool::ConnectionPool(std::size_t permits) : gate_(permits) { idle_.reserve(permits); }

ConnectionPool::~ConnectionPool() {
  for (const int socket : idle_) close(socket);
}

int ConnectionPool::take() noexcept {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return -1;
  const int socket = idle_.back();
  idle_.pop_back();
  return socket;
}

void ConnectionPool::put_back(int socket) noexcept {
  const std::lock_guard lock(mutex_);
  idle_.push_back(socket);
}

void Connection::adopt(int socket) noexcept {
  socket_ = socket;
  // Closing resets the connection: thousands of them in TIME_WAIT after every trial would use up
  // the ephemeral ports.
  const linger reset{1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

void Connection::give_back() noexcept { pool_.put_back(std::exchange(socket_, -1)); }

}  // namespace precipice
