// An HTTP server on one model: from its listening socket to its report.
#pragma once

#include <netinet/in.h>

#include <functional>
#include <memory>

#include "harness/serve/serve_report.hpp"
#include "harness/serve/serve_settings.hpp"

namespace precipice::serve {

/// Serves from construction to stop(). stop() belongs to the thread that made it; the others may be
/// called by any.
class Server {
 public:
  /// Throws UsageError and Unavailable.
  explicit Server(const ServeSettings& settings);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// With the port that was chosen.
  sockaddr_in address() const;
  /// What has been done so far.
  ServeReport report() const;

  /// Accepts nothing more, lets what is under way end until `deadline` or until `hurry`, which is
  /// asked every millisecond, answers true; then cuts it short. Once.
  ServeReport stop(Time deadline, const std::function<bool()>& hurry = {});

 private:
  class Running;
  std::unique_ptr<Running> running_;
};

}  // namespace precipice::serve
