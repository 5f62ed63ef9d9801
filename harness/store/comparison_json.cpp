#include "harness/store/comparison_json.hpp"

#include <nlohmann/json.hpp>

#include "harness/compare/comparison_notes.hpp"
#include "harness/compare/verdict_sentence.hpp"
#include "harness/store/cell_json.hpp"

namespace precipice {
namespace {

Json json_of(const Comparison& c) {
  return {{"figure", c.figure},
          {"a", to_json(c.a)},
          {"b", to_json(c.b)},
          {"blocks", c.blocks},
          {"ratio", number(c.ratio)},
          {"low", number(c.low)},
          {"high", number(c.high)},
          {"low95", number(c.low95)},
          {"high95", number(c.high95)},
          {"p", number(c.p)},
          {"p_holm", number(c.p_holm)},
          {"p_holm_run", number(c.p_holm_run)},
          {"degrees", number(c.degrees)},
          {"intervals_disjoint", c.disjoint},
          {"scatter", number(c.scatter)},
          {"detectable", number(c.detectable)},
          {"verdict", to_string(c.verdict)},
          {"order", c.order},
          {"remark", c.remark}};
}

}  // namespace

Json to_json(const RunComparison& comparison) {
  Json json = {{"schema", kSchema},
               {"a", {{"run", comparison.name_a}, {"blocks", comparison.blocks_a}}},
               {"b", {{"run", comparison.name_b}, {"blocks", comparison.blocks_b}}},
               {"min_effect", comparison.min_effect},
               {"comparisons_corrected_for", comparison.tests},
               {"remarks", comparison.remarks},
               {"only_a", comparison.only_a},
               {"only_b", comparison.only_b}};
  Json& cells = json["cells"] = Json::array();
  for (const ComparedCell& cell : comparison.cells) {
    Json figures = Json::array();
    for (const Comparison& c : cell.figures) figures.push_back(json_of(c));
    cells.push_back({{"series_a", cell.model_a.to_string()},
                     {"workload_a", cell.workload_a.to_string()},
                     {"series_b", cell.model_b.to_string()},
                     {"workload_b", cell.workload_b.to_string()},
                     {"paired_by_names_only", cell.by_kind},
                     {"adjusted", cell.adjusted},
                     {"machine_speed_b_to_a",
                      {{"mean", number(1 + cell.speed)},
                       {"low", number(1 + cell.speed_low)},
                       {"high", number(1 + cell.speed_high)}}},
                     {"work_b_to_a", number(cell.work)},
                     {"slo_ns",
                      {{"a", number(cell.slo_a_ns)},
                       {"b", number(cell.slo_b_ns)},
                       {"common_a", number(cell.slo_common_a_ns)},
                       {"common_b", number(cell.slo_common_b_ns)}}},
                     {"figures", figures},
                     {"notes", notes_of(cell)}});
  }
  return json;
}

Json ranking_json(const RunRanking& ranking) {
  Json json = Json::array();
  for (const Ranking& each : ranking.rankings) {
    Json rows = Json::array(), pairs = Json::array();
    for (const Ranking::Row& row : each.rows) {
      rows.push_back({{"series", row.model.to_string()},
                      {"ratio_to_first", number(row.to_first.ratio)},
                      {"low", number(row.to_first.low)},
                      {"high", number(row.to_first.high)},
                      {"groups", row.groups}});
    }
    std::size_t next = 0;
    for (std::size_t i = 0; i < each.rows.size(); ++i) {
      for (std::size_t j = i + 1; j < each.rows.size(); ++j) {
        const Comparison& c = each.pairs[next++];
        pairs.push_back({{"a", each.rows[i].model.to_string()},
                         {"b", each.rows[j].model.to_string()},
                         {"ratio", number(c.ratio)},
                         {"low", number(c.low)},
                         {"high", number(c.high)},
                         {"p_holm", number(c.p_holm)},
                         {"p_holm_run", number(c.p_holm_run)},
                         {"degrees", number(c.degrees)},
                         {"intervals_disjoint", c.disjoint},
                         {"verdict", to_string(c.verdict)},
                         {"remark", c.remark}});
      }
    }
    json.push_back({{"workload", each.workload.to_string()},
                    {"figure", each.figure},
                    {"blocks", each.blocks},
                    {"order", rows},
                    {"pairs", pairs},
                    {"smallest_detectable_difference", number(each.detectable)}});
  }
  return json;
}

Json verdict_json(const std::vector<WorkloadVerdict>& verdicts) {
  Json json = Json::array();
  for (const WorkloadVerdict& each : verdicts) {
    const auto rows = [](const std::vector<WorkloadVerdict::Row>& of) {
      Json list = Json::array();
      for (const WorkloadVerdict::Row& row : of) {
        list.push_back({{"series", row.model.to_string()},
                        {"cliff_per_s", to_json(row.cliff)},
                        {"share", number(row.share)},
                        {"low", number(row.low)},
                        {"high", number(row.high)},
                        {"reached", to_string(row.reached)},
                        {"apart", row.apart},
                        {"groups", row.groups}});
      }
      return list;
    };
    std::vector<std::string> unmeasured;
    for (const Spec& model : each.unmeasured) unmeasured.push_back(model.to_string());
    json.push_back({{"workload", each.workload.to_string()},
                    {"slo_ns", number(each.slo_ns)},
                    {"slo_percentile", each.slo_percentile},
                    {"text", verdict_sentence(each)},
                    {"kind", to_string(each.kind)},
                    {"blocks", each.blocks},
                    {"best", rows(each.best)},
                    {"rest", rows(each.rest)},
                    {"none_holds", rows(each.none)},
                    {"unmeasured", unmeasured}});
  }
  return json;
}

Json levers_json(const std::vector<Lever>& levers) {
  Json json = Json::array();
  for (const Lever& lever : levers) {
    Json figures = Json::array();
    for (const MovedFigure& moved : lever.figures) {
      figures.push_back({{"figure", moved.figure},
                         {"load_per_s", moved.load_per_s > 0 ? Json(moved.load_per_s) : Json()},
                         {"with", to_json(moved.with)},
                         {"without", to_json(moved.without)},
                         {"ratio", to_json(moved.ratio)},
                         {"missing", moved.missing}});
    }
    json.push_back({{"workload", lever.workload.to_string()},
                    {"series", lever.series.to_string()},
                    {"without", lever.without.to_string()},
                    {"missing", lever.missing},
                    {"figures", figures}});
  }
  return json;
}

Json changes_json(const Overlay& overlay) {
  Json list = Json::array();
  for (const RunComparison& comparison : overlay.comparisons) {
    for (const ComparedCell& cell : comparison.cells) {
      for (const Comparison& c : cell.figures) {
        const Change change = change_of(c);
        if (change == Change::none) continue;
        list.push_back({{"run", comparison.name_b},
                        {"series", cell.model_b.to_string()},
                        {"workload", cell.workload_b.to_string()},
                        {"figure", c.figure},
                        {"change", to_string(change)},
                        {"ratio", number(c.ratio)},
                        {"low", number(c.low)},
                        {"high", number(c.high)}});
      }
    }
  }
  const ChangeCounts counts = count_changes(overlay);
  return {{"list", list},
          {"counts",
           {{"higher", counts.higher},
            {"lower", counts.lower},
            {"unclear", counts.unclear},
            {"missing", counts.missing},
            {"unchanged", counts.none}}}};
}

}  // namespace precipice
