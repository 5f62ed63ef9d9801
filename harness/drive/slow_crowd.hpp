// Slow clients beside the measured ones: many connections that send, or take, a byte at a time, as
// those of bad networks and of slowloris attacks do.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "harness/drive/endpoint.hpp"
#include "harness/drive/tls.hpp"
#include "harness/trial/target.hpp"
#include "models/cpu_set.hpp"

namespace precipice {

struct SlowReport {
  std::uint64_t opened = 0;  ///< connections that were made
  std::uint64_t lost = 0;    ///< of them, closed by the other side
  std::uint64_t bytes = 0;   ///< sent, what follows the connecting at once not included
  double cpu_ns = 0;         ///< of their thread
};

/// One thread for all of them, whose steps are spread evenly over the interval. Made, started and
/// stopped by one thread.
class SlowCrowd {
 public:
  /// `request`: the bytes of a whole request. `endpoint`, `tls` (null: without) and `stop`, which
  /// ends the opening when it becomes true, outlive it.
  SlowCrowd(const Endpoint& endpoint, const TlsContext* tls, const SlowClients& settings,
            std::string_view request, const std::atomic<bool>* stop);
  ~SlowCrowd();
  SlowCrowd(const SlowCrowd&) = delete;
  SlowCrowd& operator=(const SlowCrowd&) = delete;

  /// Connects them, for at most 30 s; those that fail are tried again by the steps. Then begins
  /// the steps on these CPUs. Throws Unavailable when none could be connected, and Interrupted.
  void start(const CpuSet& cpus);
  /// Closes all of them. Can be repeated.
  SlowReport stop();

 private:
  struct Client;

  void connect(Client& client);
  void proceed(Client& client);
  /// What came of a step of it.
  void connecting(Client& client, int result);
  void begin(Client& client);
  void lose(Client& client);
  void step(Client& client);
  /// False: the connection is gone.
  bool take(Client& client);
  void send(Client& client, std::string_view bytes);
  char next_byte(const Client& client) const;
  void run();

  const Endpoint& endpoint_;
  const TlsContext* const tls_;
  const SlowClients settings_;
  const std::atomic<bool>* const stop_asked_;
  std::string first_;  ///< what each sends when it is connected
  std::string head_;   ///< what a client that is slow in its header sends byte by byte
  std::vector<Client> clients_;
  SlowReport report_;
  std::string problem_;  ///< of the last attempt to connect
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace precipice
