// Every model there is, in the order in which they are listed and drawn. Adding one is adding two
// lines here.
#include "models/did_you_mean.hpp"
#include "models/model.hpp"

namespace precipice {

ModelInfo thread_per_request_model();
ModelInfo fixed_pool_model();
ModelInfo event_loop_model();
ModelInfo io_uring_model();
ModelInfo work_stealing_model();
ModelInfo inline_model();
ModelInfo oracle_model();

const std::vector<ModelInfo>& models() {
  static const std::vector<ModelInfo> all = {
      thread_per_request_model(), fixed_pool_model(), event_loop_model(), io_uring_model(),
      work_stealing_model(),      inline_model(),     oracle_model(),
  };
  return all;
}

const ModelInfo& model_named(std::string_view name) {
  std::vector<std::string> names;
  for (const ModelInfo& model : models()) {
    if (model.name == name) return model;
    names.emplace_back(model.name);
  }
  std::string message =
      "no model is called '" + std::string(name) + "'" + did_you_mean(name, names) + " There are:";
  for (const std::string& each : names) message += ' ' + each;
  throw UsageError(message);
}

}  // namespace precipice
