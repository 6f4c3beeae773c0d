#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/store/model_messages.hpp"
#include "runtime/random_source.hpp"

namespace dim::tests {

using namespace dim::actors;

/// What a serving world draws from its seed: models and their configurations. "a" and "b" are
/// plain, "e" is an ensemble of "a" and "f", which is one of "b".
class serving_draws {
public:
  explicit serving_draws(runtime::random_source& random) : random_(random) {
  }

  static const std::vector<std::string>& names() {
    static const std::vector<std::string> all{"a", "b", "e", "f"};
    return all;
  }

  std::string name() {
    return names()[random_.below(names().size())];
  }

  models::model_spec spec(const std::string& name) {
    models::model_spec spec;
    spec.name = name;
    spec.max_batch_size = static_cast<std::int64_t>(4 + random_.below(2));
    spec.inputs = {{"x", models::datatype::fp32, {4}, {}}};
    spec.outputs = {{"y", models::datatype::fp32, {4}, {}}};
    spec.served = policy();
    spec.kind = models::model_kind::identity;
    if (name == "e")
      spec.steps = {step("a", "x", "t"), step("f", "t", "y")};
    if (name == "f")
      spec.steps = {step("b", "x", "y")};
    if (!spec.steps.empty())
      spec.kind = models::model_kind::ensemble;
    return spec;
  }

  /// A version with a file of its own.
  model_entry entry(const std::string& name, std::uint64_t number,
                    const models::model_spec& spec) {
    return {name, std::to_string(number), "file-" + std::to_string(++files_), 1, 0, spec};
  }

private:
  models::version_policy policy() {
    models::version_policy policy;
    policy.choice = static_cast<models::version_choice>(random_.below(3));
    policy.count = static_cast<std::uint32_t>(1 + random_.below(2));
    if (policy.choice == models::version_choice::specific)
      policy.versions = {1 + random_.below(3), 3 + random_.below(2)};
    return policy;
  }

  models::ensemble_step step(const std::string& model, const std::string& in,
                             const std::string& out) {
    models::ensemble_step step;
    step.model = model;
    if (random_.below(4) == 0)
      step.version = std::to_string(1 + random_.below(3));
    step.inputs = {{"x", in}};
    step.outputs = {{"y", out}};
    return step;
  }

  runtime::random_source& random_;
  std::uint64_t files_ = 0;
};

}  // namespace dim::tests
