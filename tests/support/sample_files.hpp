// /proc and /sys of another machine.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/host/proc_text.hpp"

namespace precipice::testing {

/// A machine made of texts.
class SampleFiles final : public MachineFiles {
 public:
  explicit SampleFiles(std::map<std::string, std::string> texts) : texts_(std::move(texts)) {}
  std::optional<std::string> read(const std::string& path) const override {
    const auto found = texts_.find(path);
    return found == texts_.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<std::string> list(const std::string& directory) const override {
    std::vector<std::string> names;
    for (const auto& [path, text] : texts_) {
      const std::string base = directory.ends_with('/') ? directory : directory + "/";
      if (!path.starts_with(base)) continue;
      const std::string name = path.substr(base.size(), path.find('/', base.size()) - base.size());
      if (names.empty() || names.back() != name) names.push_back(name);
    }
    return names;
  }

 private:
  std::map<std::string, std::string> texts_;
};

}  // namespace precipice::testing
