#include "harness/trial/downstream_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <thread>

#include "harness/trial/process_family.hpp"
#include "models/options.hpp"
#include "workloads/descriptor.hpp"
#include "workloads/server_programs.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

constexpr Nanos kStartLimit = 120s;  // of a start on a slow, loaded machine
constexpr Nanos kStartLook = 5ms;
constexpr int kPortAttempts = 5;
constexpr int kPostgresPort = 5432;  // a part of its socket's name, and no more
constexpr int kPostgresConnections = 520;

std::string log_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string last_line(std::string text) {
  text.erase(text.find_last_not_of(" \r\n") + 1);
  return text.substr(text.rfind('\n') + 1);
}

/// A port of 127.0.0.1 that nobody listens on now.
sockaddr_in free_address() {
  const Descriptor probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (!probe.valid() || bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw Unavailable(fmt::format("no free port on 127.0.0.1: {}", std::strerror(errno)));
  return address;
}

/// A value in a conninfo string.
std::string conninfo_value(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

}  // namespace

DownstreamServer::DownstreamServer(Downstream which, const CpuSet& cpus,
                                   const std::function<void()>& may_give_up)
    : directory_(which == Downstream::redis ? "precipice-redis-" : "precipice-postgres-"),
      cpus_(cpus) {
  if (which == Downstream::redis) {
    start_redis(may_give_up);
  } else {
    start_postgres(may_give_up);
  }
}

void DownstreamServer::start_redis(const std::function<void()>& may_give_up) {
  const auto program = redis_server_program();
  if (!program) {
    throw Unavailable(
        "redis: there is no redis-server: apt-get install redis-server, or name one that runs "
        "(redis:server=127.0.0.1:PORT)");
  }
  const auto user = unprivileged_user({"redis"});
  const std::string data = make_directory("data", user);
  for (int attempt = 1;; ++attempt) {
    address_ = free_address();
    ServerCommand command{
        .argv = {*program, "--port", std::to_string(ntohs(address_->sin_port)), "--bind",
                 "127.0.0.1", "--dir", data, "--save", "", "--appendonly", "no", "--daemonize",
                 "no", "--loglevel", "notice", "--databases", "1"},
        .directory = data,
        .log = log(),
        .user = user,
        .quick_end = SIGKILL};
    process_ = std::make_unique<ServerProcess>(command, cpus_);
    if (await_text("redis-server", "eady to accept connections", may_give_up)) return;
    const std::string text = log_text(log());
    // Somebody took the port between our look and its own.
    if (attempt == kPortAttempts || text.find("ddress already in use") == std::string::npos)
      throw Unavailable(fmt::format("redis-server did not start: {}", last_line(text)));
  }
}

void DownstreamServer::start_postgres(const std::function<void()>& may_give_up) {
  const auto programs = postgres_program_directory();
  if (!programs) {
    throw Unavailable(
        "postgres: there is no PostgreSQL server: apt-get install postgresql, or name one that "
        "runs (postgres:server=127.0.0.1:PORT)");
  }
  const auto user = unprivileged_user({"postgres"});
  const std::string data = make_directory("data", user), socket = make_directory("socket", user);
  const std::string socket_file = fmt::format("{}/.s.PGSQL.{}", socket, kPostgresPort);
  if (socket_file.size() >= sizeof(sockaddr_un{}.sun_path)) {
    throw Unavailable(fmt::format(
        "postgres: {} is too long for the name of a socket; name a shorter directory in TMPDIR",
        socket_file));
  }
  ServerCommand command{.argv = {*programs + "/initdb", "-D", data, "-A", "trust", "-U",
                                 "precipice", "-E", "UTF8", "--locale=C", "--no-sync"},
                        .directory = data,
                        .log = log(),
                        .user = user,
                        .quick_end = SIGKILL};
  process_ = std::make_unique<ServerProcess>(command, cpus_);
  while (!process_->wait(kStartLook)) {
    if (may_give_up) may_give_up();
  }
  if (process_->exit_code() != 0)
    throw Unavailable(fmt::format("postgres: initdb failed: {}", last_line(log_text(log()))));
  command.argv = {*programs + "/postgres",      "-D", data, "-k", socket, "-p",
                  std::to_string(kPostgresPort)};
  for (const std::string& setting :
       {std::string("listen_addresses="), fmt::format("max_connections={}", kPostgresConnections),
        // Nothing has to survive: no write waits for a disk, and no checkpoint falls into a trial.
        std::string("fsync=off"), std::string("synchronous_commit=off"),
        std::string("full_page_writes=off"), std::string("wal_level=minimal"),
        std::string("max_wal_senders=0"), std::string("max_wal_size=2GB"),
        std::string("checkpoint_timeout=1d"),
        // Nothing else runs beside the requests.
        std::string("autovacuum=off"), std::string("bgwriter_lru_maxpages=0"),
        std::string("max_parallel_workers_per_gather=0"), std::string("jit=off"),
        std::string("update_process_title=off"), std::string("lc_messages=C")}) {
    command.argv.emplace_back("-c");
    command.argv.push_back(setting);
  }
  command.quick_end = SIGQUIT;  // ends its children too
  process_ = std::make_unique<ServerProcess>(command, cpus_);
  if (!await_text("postgres", "ready to accept connections", may_give_up)) {
    throw Unavailable(
        fmt::format("the PostgreSQL server did not start: {}", last_line(log_text(log()))));
  }
  conninfo_ = fmt::format(
      "host={} port={} user=precipice dbname=postgres sslmode=disable "
      "gssencmode=disable",
      conninfo_value(socket), kPostgresPort);
}

/// Until the log says so: false when the server has ended before.
bool DownstreamServer::await_text(std::string_view program, std::string_view text,
                                  const std::function<void()>& may_give_up) {
  const std::int64_t until_ns = monotonic_ns() + kStartLimit.count();
  for (;;) {
    const bool running = process_->running();
    if (log_text(log()).find(text) != std::string::npos && running) return true;
    if (!running) return false;
    if (may_give_up) may_give_up();
    if (monotonic_ns() >= until_ns) {
      throw Unavailable(fmt::format("{} was not ready within {:.0f} s: {}", program,
                                    seconds(kStartLimit), last_line(log_text(log()))));
    }
    std::this_thread::sleep_for(kStartLook);
  }
}

/// For the server alone.
std::string DownstreamServer::make_directory(const char* name,
                                             const std::optional<ServerUser>& user) const {
  const std::string path = directory_.path() + "/" + name;
  if (mkdir(path.c_str(), 0700) != 0 || (user && chown(path.c_str(), user->user, user->group) != 0))
    throw Unavailable(fmt::format("cannot make {}: {}", path, std::strerror(errno)));
  return path;
}

void DownstreamServer::enter_into(WorkloadSetup& setup) const {
  setup.backend = address_;
  setup.conninfo = conninfo_;
}

void DownstreamServer::place_on(const CpuSet& cpus) {
  cpus_ = cpus;
  place_family(process_->pid(), cpus);
}

}  // namespace precipice
