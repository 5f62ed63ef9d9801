#include "harness/store/advice_json.hpp"

#include <nlohmann/json.hpp>

#include "harness/store/cell_json.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

Json known(const std::optional<bool>& meets) { return meets ? Json(*meets) : Json(nullptr); }

Json row_of(const AdviceOfModel& model) {
  return {{"series", model.model.to_string()},
          {"meets", known(model.meets)},
          {"p99_ns", to_json(model.at.front().percentile_ns)},
          {"cliff_per_s", cliff_json(model.cliff_per_s)},
          {"headroom", to_json(model.headroom)},
          {"failure", model.failure}};
}

}  // namespace

Json advice_json(const Advice& advice, const std::string& answer) {
  const AdviceQuestion& question = advice.question;
  Json json = {{"schema", kSchema},
               {"answer", answer},
               {"today", advice.today ? row_of(advice.models[*advice.today]) : Json(nullptr)}};
  Json& models = json["models"] = Json::array();
  for (const AdviceOfModel& model : advice.models) models.push_back(row_of(model));
  json["threads"] = advice.threads ? Json(*advice.threads) : Json(nullptr);
  Json& all = json["at"] = Json::array();
  for (const AdviceOfModel& model : advice.models) {
    for (const AdviceAtRate& at : model.at) {
      all.push_back({{"series", model.model.to_string()},
                     {"rate_per_s", number(at.rate_per_s)},
                     {"p99_ns", to_json(at.percentile_ns)},
                     {"goodput_per_s", to_json(at.goodput_per_s)},
                     {"meets", known(at.meets)},
                     {"valid", at.valid}});
    }
  }
  Json most = nullptr;
  if (advice.most) {
    Json alike = Json::array();
    for (const std::size_t i : advice.alike) alike.push_back(advice.models[i].model.to_string());
    most = {{"series", advice.models[*advice.most].model.to_string()},
            {"alike", alike},
            {"gain", to_json(advice.gain)},
            {"gain_over", advice.against ? Json(advice.models[*advice.against].model.to_string())
                                         : Json(nullptr)}};
  }
  json["most"] = most;
  Json& pools = json["pools"] = Json::array();
  for (const AdvicePool& pool : advice.pools)
    pools.push_back({{"threads", pool.size}, {"meets", known(pool.meets)}});
  json["question"] = {{"workload", advice.workload.to_string()},
                      {"rate_per_s", number(question.rate_per_s)},
                      {"slo", to_string(question.slo)},
                      {"slo_ns", number(advice.slo_ns)},
                      {"slo_percentile", question.slo.percentile},
                      {"busy_at_rate", number(busy_at_rate(question))}};
  json["blocks"] = advice.blocks;
  json["trials"] = advice.trials;
  json["invalid"] = advice.invalid;
  return json;
}

}  // namespace precipice
