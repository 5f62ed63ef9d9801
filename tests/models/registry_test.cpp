#include <gtest/gtest.h>

#include <string>

#include "models/model.hpp"

namespace precipice {
namespace {

TEST(Registry, SuggestsTheModelThatWasMeant) {
  try {
    model_named("fixed_pol");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'fixed_pool'"), std::string::npos);
  }
}

}  // namespace
}  // namespace precipice
