// One thread of the client: connections, their requests, and the time of each step.
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/drive/endpoint.hpp"
#include "harness/drive/failure_kind.hpp"
#include "harness/drive/progress.hpp"
#include "harness/drive/request_text.hpp"
#include "harness/drive/tls.hpp"
#include "harness/drive/wire.hpp"
#include "harness/http/response_parser.hpp"
#include "harness/trial/slots.hpp"
#include "models/in_flight_integral.hpp"
#include "models/request.hpp"

namespace precipice {

struct ClientConnection;

/// What a client's threads share, and how they go about it. Times are nanoseconds since the epoch.
struct ClientSettings {
  const Endpoint* endpoint = nullptr;
  const TlsContext* tls = nullptr;  ///< null: without
  /// Of an open loop: when each request is due; ids count from 0. Empty in a closed loop.
  std::span<const std::int64_t> intended_ns;
  std::atomic<std::size_t>* next_id = nullptr;  ///< of a closed loop
  std::uint64_t seed = 0;                       ///< of the schedule: see request_seed
  std::int64_t window_begin_ns = 0;
  std::int64_t end_ns = 0;        ///< of the window; a closed loop sends nothing later
  std::int64_t deadline_ns = 0;   ///< what has not ended then is given up
  Nanos think{0};                 ///< of a closed loop
  std::int64_t least_gap_ns = 0;  ///< of a closed loop: between two requests of a thread; 0: none
  Nanos timeout = std::chrono::seconds(10);  ///< of a request, from its dispatch_ns
  bool connection_per_request = false;
  std::uint32_t requests_per_connection = 0;  ///< then it is closed, and made anew; 0: never
  const std::string* expected = nullptr;      ///< every body; null: any
  const std::vector<std::string>* answers =
      nullptr;       ///< each body, by its seed; null: see expected
  bool spin = true;  ///< see GeneratorOptions
  Nanos margin = std::chrono::microseconds(300);
  const std::atomic<bool>* stop = nullptr;
  Slots* slots = nullptr;
  InFlightIntegral* in_flight = nullptr;
  DriveProgress* progress = nullptr;  ///< null: nobody looks
};

/// What one thread of it did.
struct ClientReport {
  std::uint64_t connects = 0, failed_connects = 0, partial_sends = 0;
  double all_busy_ns = 0;  ///< of the window
  double busy_ns = 0;      ///< of the window, in passes that found something to do
  double cpu_ns = 0;       ///< of the window
  double all_cpu_ns = 0;   ///< since the epoch
  double switches = 0;     ///< context switches since the epoch
};

/// Requests first, first + stride, ... of an open loop, or `lanes` requests at a time of a closed
/// one. The steps of a request are stamped in its slot: `dispatch_ns` when the loop takes it up,
/// which is late by the loop's own lag alone; `begin_ns` just before its first byte is sent, when a
/// connection is free (or, with a connection for each request, when that begins to be made); and
/// the completion, when the poll returned that showed its last byte. Idle connections are used in
/// turn. A connection that is lost is made anew. Statuses 503 and 429 are counted as shed; success
/// is 2xx and 304. Called by one thread, but for construction.
class ClientLoop {
 public:
  struct Share {
    std::size_t first = 0, stride = 1;  ///< of an open loop's ids
    std::uint64_t lanes = 0;            ///< of a closed loop
    std::uint32_t connections = 1;
  };
  /// `last_text`: of the last request of a connection; the same where that is never told.
  ClientLoop(const ClientSettings& settings, const Share& share, RequestText text,
             RequestText last_text);
  ~ClientLoop();
  ClientLoop(const ClientLoop&) = delete;
  ClientLoop& operator=(const ClientLoop&) = delete;

  /// Makes the connections, some at a time; with one for each request, makes one to see that it can
  /// be. Throws Unavailable, and Interrupted when `stop` became true.
  void open();
  /// From the epoch to the end of the last request, or the deadline.
  ClientReport run(Time epoch);

 private:
  using Connection = ClientConnection;

  std::int64_t clock() const { return monotonic_ns() - epoch_ns_; }
  bool open_loop() const { return !settings_.intended_ns.empty(); }
  bool stopped() const;
  /// It has had as many requests as it may.
  bool spent(const Connection& connection) const;

  // Connections.
  void watch(Connection& connection, bool write);
  void connect(Connection& connection);
  void connected(Connection& connection);
  void connect_failed(Connection& connection, int error);
  void close(Connection& connection);
  void set_free(Connection& connection);
  void note_free();

  // Requests.
  void offer_due();
  void issue(std::size_t id);
  void serve_waiting();
  void put_on(Connection& connection, std::size_t id);
  void send(Connection& connection, std::string_view bytes);
  void send_rest(Connection& connection);
  std::optional<std::size_t> offer(Connection& connection, std::string_view bytes);
  void on_ready(Connection& connection, std::int64_t at_ns);
  void on_bytes(Connection& connection, std::int64_t at_ns);
  void answered(Connection& connection, std::int64_t at_ns, bool more_bytes);
  void request_failed(Connection& connection, std::int64_t at_ns, FailureKind kind, int error = 0);
  void fail(std::size_t id, std::int64_t at_ns, FailureKind kind, int error = 0);
  void ended(std::int64_t at_ns);

  // Time.
  int wait(bool spin);
  void handle(int events, std::int64_t at_ns);
  std::int64_t next_arrival() const;
  std::int64_t next_event() const;
  void keep_house();
  void give_up_late_ones();
  void cancel_all();
  bool finished() const;
  void mark_window();
  void count_busy(std::int64_t from_ns, std::int64_t to_ns);
  void tally_to(std::int64_t at_ns);
  /// The part of it that lies in the window.
  double inside(std::int64_t from_ns, std::int64_t to_ns) const;

  const ClientSettings settings_;
  const Share share_;
  RequestText text_, last_text_;
  int epoll_ = -1;
  bool precise_wait_ = true;  ///< the kernel has epoll_pwait2
  bool slept_ = false;        ///< in the last wait
  std::unique_ptr<Connection[]> connections_;
  std::vector<epoll_event> events_;
  std::vector<char> buffer_;

  std::int64_t epoch_ns_ = 0, now_ = 0;
  std::size_t next_ = 0;           ///< of the open loop's ids
  std::uint64_t ready_lanes_ = 0;  ///< of the closed loop: may send
  std::int64_t paced_until_ns_ = 0;
  bool exhausted_ = false;  ///< no slot is left for the closed loop
  std::uint64_t outstanding_ = 0;
  InFlightIntegral::Entrance* entrance_ = nullptr;
  std::deque<std::uint32_t> free_;   ///< connections, in order of when they became free
  std::deque<std::size_t> waiting_;  ///< requests that are due and have no connection
  template <class T>
  using Soonest = std::priority_queue<T, std::vector<T>, std::greater<>>;
  Soonest<std::int64_t> thinking_;                           ///< lanes, by when they may send
  Soonest<std::pair<std::int64_t, std::uint32_t>> retries_;  ///< connections to be made, by when
  std::int64_t look_at_ns_ = 0;                              ///< for late requests
  std::int64_t none_free_since_ns_ = -1;
  bool running_ = false;
  std::string connect_problem_;  ///< why the last connection was not made, or lost
  std::optional<double> cpu_at_begin_ns_, cpu_at_end_ns_;
  SecondTally tally_;
  int second_ = 0;
  ClientReport report_;
};

}  // namespace precipice
