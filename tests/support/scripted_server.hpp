// A small server of HTTP on a loopback port or a unix socket, with a thread for each connection,
// that answers as a test tells it.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace precipice::testing {

/// What a connection does with one request.
struct Answer {
  std::string bytes;          ///< sent as they are
  bool closes = false;        ///< behind them
  bool resets = false;        ///< instead of them
  std::size_t at_a_time = 0;  ///< bytes a send; 0: all
  /// Before them; ends early when the server stops.
  std::chrono::milliseconds after{0};
};

inline std::string response(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

class ScriptedServer {
 public:
  /// `script` is called by many threads at once with the head and the body of a request, and how
  /// many there were before it in all.
  using Script = std::function<Answer(const std::string& request, std::size_t before)>;
  explicit ScriptedServer(Script script, const std::string& unix_path = "")
      : script_(std::move(script)), path_(unix_path) {
    listener_ = socket(path_.empty() ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (path_.empty()) {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      socklen_t size = sizeof address;
      EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
      EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
      port_ = ntohs(address.sin_port);
    } else {
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      path_.copy(address.sun_path, sizeof address.sun_path - 1);
      EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    EXPECT_EQ(listen(listener_, 1024), 0);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() { stop(); }

  void stop() {
    if (stopping_.exchange(true)) return;
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    close(listener_);
    std::vector<std::thread> threads;
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
      threads.swap(threads_);
    }
    for (std::thread& each : threads) each.join();
    if (!path_.empty()) unlink(path_.c_str());
  }

  std::string url(const std::string& target = "/") const {
    return path_.empty() ? "http://127.0.0.1:" + std::to_string(port_) + target
                         : "unix:" + path_ + ":" + target;
  }
  std::size_t requests() const { return requests_.load(); }
  std::size_t connections() const { return connections_.load(); }
  /// The most requests that were being answered at once.
  std::size_t most_at_once() const { return most_.load(); }
  std::vector<std::string> heads() const {
    const std::lock_guard lock(mutex_);
    return heads_;
  }

 private:
  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        close(fd);
        return;
      }
      ++connections_;
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }

  /// The next whole request of a connection; false at its end.
  static bool read_request(int fd, std::string& kept, std::string& request) {
    for (;;) {
      const std::size_t end = kept.find("\r\n\r\n");
      if (end != std::string::npos) {
        std::size_t body = 0;
        if (const std::size_t at = kept.find("Content-Length: "); at < end)
          body = std::stoul(kept.substr(at + std::strlen("Content-Length: "), 20));
        const std::size_t whole = end + 4 + body;
        if (kept.size() >= whole) {
          // Not copied: ThreadSanitizer pays for every page of a large buffer.
          std::string next = kept.substr(whole);
          kept.resize(whole);
          request = std::exchange(kept, std::move(next));
          return true;
        }
        kept.reserve(whole);
      }
      char buffer[65536];
      const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0) return false;
      kept.append(buffer, static_cast<std::size_t>(got));
    }
  }

  void serve(int fd) {
    std::string kept, request;
    while (read_request(fd, kept, request)) {
      const std::size_t now = ++at_once_;
      for (std::size_t most = most_; now > most && !most_.compare_exchange_weak(most, now);) {
      }
      const std::size_t before = requests_.fetch_add(1);
      {
        const std::lock_guard lock(mutex_);
        heads_.push_back(request.substr(0, request.find("\r\n\r\n")));
      }
      const Answer answer = script_(request, before);
      const auto until = std::chrono::steady_clock::now() + answer.after;
      while (!stopping_ && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      --at_once_;
      if (answer.resets) {
        const linger at_once{1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        break;
      }
      const std::size_t step = answer.at_a_time == 0 ? answer.bytes.size() : answer.at_a_time;
      for (std::size_t at = 0; at < answer.bytes.size(); at += step) {
        const std::string part = answer.bytes.substr(at, step);
        if (send(fd, part.data(), part.size(), MSG_NOSIGNAL) < 0) break;
      }
      if (answer.closes) break;
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    close(fd);
  }

  const Script script_;
  const std::string path_;
  int listener_ = -1;
  unsigned port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> requests_{0}, connections_{0}, at_once_{0}, most_{0};
  mutable std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::vector<std::string> heads_;
  std::thread acceptor_;
};

}  // namespace precipice::testing
