// A trial of a model over HTTP: `precipice serve` as a process of its own, and this process as its
// client.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/drive/drive_trial.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// What a body must be, for each seed: the digest that /work answers.
std::shared_ptr<const std::vector<std::string>> answers_of(
    const std::vector<std::uint64_t>& digests);

/// The command line of the server, without --listen's port chosen: "127.0.0.1:0". `connections`:
/// of the client, slow ones not included.
std::vector<std::string> serve_command(const std::string& program, const TrialRequest& request,
                                       std::uint32_t connections);

/// Connections for a trial: those of a closed loop, else twice what the unloaded service times keep
/// busy, and 64, so that responses of up to twice S do not wait for one.
std::uint32_t connections_for(const TrialRequest& request, Nanos service);

/// Runs a trial of `request.model`, whose series is over_http, on `request.workload`. The server is
/// started on the model's CPUs and has ended when this returns. Its own counts are checked against
/// the client's: it must not have answered fewer requests than the client saw answered. `client`
/// sends the requests. Policies run in the server, which counts their attempts, those of the
/// warm-up included; they are among the trial's model_stats. `program`: this program's file. Throws
/// UsageError and Unavailable; what `may_give_up` throws, which is called while the server starts,
/// passes on.
Trial run_served(const TrialRequest& request, const std::vector<std::uint64_t>& digests,
                 const std::string& program, TargetRunner& client,
                 const std::function<void()>& may_give_up);

}  // namespace precipice
