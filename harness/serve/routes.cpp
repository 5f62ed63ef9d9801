#include "harness/serve/routes.hpp"

#include <array>

#include "harness/http/target.hpp"
#include "workloads/workload.hpp"

namespace precipice::serve {
namespace {

using http::Method;
using http::Status;

struct Resource {
  std::string_view path;
  Route route;
  bool get, post;
  std::string_view allow;
};

constexpr std::string_view kGet = "Allow: GET, HEAD\r\n", kPost = "Allow: POST\r\n",
                           kBoth = "Allow: GET, HEAD, POST\r\n";
constexpr std::array kResources = std::to_array<Resource>({
    {"/plain", Route::plain, true, false, kGet},
    {"/work", Route::work, true, true, kBoth},
    {"/echo", Route::echo, false, true, kPost},
    {"/health", Route::health, true, false, kGet},
    {"/metrics", Route::metrics, true, false, kGet},
});

Routed refused(Status status, std::string_view reason, std::string_view allow = {}) {
  return {.status = status, .reason = reason, .allow = allow};
}

Routed work(std::string_view query) {
  Routed routed{.route = Route::work};
  const auto text = http::query_value(query, "seed");
  if (!text) return routed;
  const auto seed = http::parse_number(*text, kTabulatedSeeds);
  static_assert(kTabulatedSeeds == 4096, "the message below names it");
  if (!seed) return refused(Status::bad_request, "seed is not a number from 0 to 4095");
  routed.seed = static_cast<std::uint32_t>(*seed);
  return routed;
}

}  // namespace

Routed route(const http::RequestHead& head, std::string_view head_bytes) {
  const auto [path, query] = http::split_target(head.target(head_bytes));
  for (const Resource& resource : kResources) {
    if (path != resource.path) continue;
    const bool allowed =
        head.method == Method::post
            ? resource.post
            : resource.get && (head.method == Method::get || head.method == Method::head);
    if (!allowed)
      return refused(Status::method_not_allowed, "this resource has no such method",
                     resource.allow);
    if (resource.route == Route::echo && head.coded)
      return refused(Status::not_implemented, "a body under a further coding is not undone here");
    return resource.route == Route::work ? work(query) : Routed{.route = resource.route};
  }
  const bool of_a_server =
      head.method == Method::get || head.method == Method::head || head.method == Method::post;
  if (!of_a_server)
    return refused(Status::method_not_allowed, "this server has no such method", kBoth);
  return refused(Status::not_found,
                 "there are /plain, /work?seed=N, /echo (POST), /health and /metrics");
}

}  // namespace precipice::serve
