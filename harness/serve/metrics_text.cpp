#include "harness/serve/metrics_text.hpp"

#include <fmt/format.h>

#include <cctype>
#include <iterator>

namespace precipice::serve {
namespace {

class Page {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(text_),
                   "# HELP precipice_{0} {1}\n# TYPE precipice_{0} {2}\n", name, help, type);
  }
  template <class Value>
  void sample(std::string_view name, std::string_view labels, Value value) {
    fmt::format_to(std::back_inserter(text_), "precipice_{}{} {}\n", name, labels, value);
  }
  template <class Value>
  void single(std::string_view name, std::string_view type, std::string_view help, Value value) {
    family(name, type, help);
    sample(name, "", value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// A label's value is any text, with these three escaped.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

void add_responses(Page& page, const ServerCounts& counts) {
  constexpr std::string_view kName = "response_seconds";
  page.family(kName, "histogram", "From the end of a request's head to its answer, as composed.");
  std::uint64_t up_to = 0;
  for (std::size_t i = 0; i < kResponseBounds.size(); ++i) {
    up_to += counts.responses[i];
    page.sample("response_seconds_bucket",
                fmt::format("{{le=\"{:g}\"}}", static_cast<double>(kResponseBounds[i]) * 1e-9),
                up_to);
  }
  up_to += counts.responses.back();
  page.sample("response_seconds_bucket", "{le=\"+Inf\"}", up_to);
  page.sample("response_seconds_sum", "", static_cast<double>(counts.response_sum_ns) * 1e-9);
  page.sample("response_seconds_count", "", up_to);
}

}  // namespace

std::string metrics_text(const MetricsPage& shown) {
  Page page;
  const ServerCounts& counts = shown.counts;
  page.single("requests_total", "counter", "Requests whose head was complete.", counts.requests);
  page.single("requests_in_flight", "gauge", "Requests that are neither answered nor abandoned.",
              counts.in_flight());
  page.single("requests_abandoned_total", "counter",
              "Requests that ended without an answer: the peer had gone, or the server stopped.",
              counts.abandoned);
  page.single("malformed_total", "counter", "Heads that were refused.", counts.malformed);
  page.family("answers_total", "counter", "Answers by status.");
  for (std::size_t i = 0; i < http::kStatuses.size(); ++i) {
    page.sample("answers_total",
                fmt::format("{{status=\"{}\"}}", static_cast<unsigned>(http::kStatuses[i])),
                counts.by_status[i]);
  }
  add_responses(page, counts);
  page.single("connections", "gauge", "Open connections.", shown.connections);
  page.single("connections_accepted_total", "counter", "Connections accepted.", shown.accepted);
  page.single("connections_refused_total", "counter",
              "Connections closed at once: past the limit, or refused by the model.",
              shown.refused_connections);
  page.family("model", "gauge", "The figures of the model's engine.");
  for (const auto& [name, value] : shown.model_stats) {
    page.sample("model",
                fmt::format("{{model=\"{}\",figure=\"{}\"}}", escaped(shown.model), escaped(name)),
                value);
  }
  return page.take();
}

}  // namespace precipice::serve
