#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "actors/engine/pattern_run.hpp"
#include "tests/actors/engine_support.hpp"

namespace dim::tests {

inline constexpr std::int64_t begin_ms = 1'000'000;

inline actors::run_arguments arguments_of(actors::pattern kind) {
  actors::run_arguments result;
  result.spec.kind = kind;
  result.spec.steps =
    steps(kind == actors::pattern::comparative || kind == actors::pattern::chained ? 2 : 1);
  result.spec.inputs = {floats("x", {1, 2})};
  result.job_id = "job";
  result.epoch = 4;
  result.deadline_ms = begin_ms + 300'000;
  result.seed = 11;
  return result;
}

/// The requests of all groups that are to be placed now.
inline std::vector<actors::execution_request> requests_in(const actors::run_effects& effects) {
  std::vector<actors::execution_request> result;
  for (auto& wish : all_of<actors::place_executions>(effects))
    result.insert(result.end(), wish.group.begin(), wish.group.end());
  return result;
}

inline actors::execution_ended good_end(const actors::execution_request& request, std::string node,
                                        models::tensor_list outputs = scores({0, 1})) {
  actors::execution_ended news;
  news.execution_id = request.execution_id;
  news.node_id = std::move(node);
  news.result_digest = models::canonical_digest(outputs);
  news.outputs = std::move(outputs);
  return news;
}

inline actors::execution_ended bad_end(const actors::execution_request& request, std::string node,
                                       runtime::error_code code) {
  actors::execution_ended news;
  news.execution_id = request.execution_id;
  news.node_id = std::move(node);
  news.error = {code, "broken", {}};
  return news;
}

inline actors::execution_placed placement(const actors::execution_request& request,
                                          std::string node, std::string owner = "") {
  return {request.execution_id, std::move(node), std::move(owner), {}};
}

inline std::vector<actors::execution_state> states_in(const actors::run_effects& effects) {
  std::vector<actors::execution_state> result;
  for (auto& news : all_of<actors::execution_changed>(effects))
    result.push_back(news.record.state);
  return result;
}

}  // namespace dim::tests
