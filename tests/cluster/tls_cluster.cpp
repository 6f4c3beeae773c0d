#include "tests/cluster/tls_cluster.hpp"

#include <cmath>

namespace dim::tests {

using nlohmann::json;

std::vector<std::string> pattern_models() {
  return {"digits-linear", "digits-mlp", "digits-cnn", "standardize", "risk"};
}

json small_job() {
  return {{"pattern", "single"},
          {"model", "digits-mlp"},
          {"inputs", json::array({digit_input(sample_digits().front().pixels)})}};
}

std::vector<json> job_of_each_pattern() {
  auto input = json::array({digit_input(sample_digits().front().pixels)});
  std::vector<double> raw;
  for (auto pixel : sample_digits().front().pixels)
    raw.push_back(std::round(pixel * 255));
  return {small_job(),
          {{"pattern", "replicated"},
           {"model", "digits-cnn"},
           {"redundancy", 2},
           {"consensus", 2},
           {"inputs", input}},
          {{"pattern", "collaborative"}, {"model", "risk"}, {"cabinet", "patients"}},
          {{"pattern", "comparative"},
           {"models", {"digits-mlp", "digits-cnn", "digits-linear"}},
           {"vote", {{"method", "majority"}}},
           {"inputs", input}},
          {{"pattern", "chained"},
           {"steps", json::array({{{"model", "standardize"}}, {{"model", "digits-mlp"}}})},
           {"inputs", json::array({digit_input(raw)})}}};
}

}  // namespace dim::tests
