#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/engine/pattern_run.hpp"
#include "models/numbers.hpp"
#include "runtime/random_source.hpp"
#include "tests/actors/engine_support.hpp"

namespace dim::tests {

/// What a world draws from its seed: jobs, and the answers of nodes.
class engine_draws {
public:
  engine_draws(actors::pattern kind, runtime::random_source& random)
    : kind_(kind), random_(random) {
  }

  actors::job_spec spec() {
    const bool is_many =
      kind_ == actors::pattern::comparative || kind_ == actors::pattern::chained;
    actors::job_spec spec;
    spec.kind = kind_;
    spec.steps = steps(is_many ? 1 + random_.below(4) : 1);
    spec.inputs = {floats("x", {1, 2})};
    spec.cabinet = kind_ == actors::pattern::collaborative ? "patients" : "";
    spec.redundancy = static_cast<std::uint32_t>(1 + random_.below(5));
    spec.consensus = spec.redundancy / 2 + 1;
    spec.compare = static_cast<actors::comparison>(
      random_.below(static_cast<std::uint64_t>(last_value(actors::comparison{})) + 1));
    spec.nodes.min = static_cast<std::uint32_t>(random_.below(3));
    if (random_.below(2) == 0)
      spec.nodes.max = static_cast<std::uint32_t>(std::max(spec.nodes.min, 1u) + random_.below(3));
    spec.retry.attempts_max = static_cast<std::uint32_t>(1 + random_.below(3));
    spec.tie_abstains = random_.below(2) == 0;
    spec.timeout_ms = 60'000;
    spec.hedge_after_ms = random_.below(2) == 0 ? 0 : 1 + random_.below(400);
    return spec;
  }

  models::tensor_list outputs() {
    auto outputs = kind_ == actors::pattern::collaborative ? reduced() : drawn_scores();
    for (auto& output : outputs)
      stored_[output.digest] = output;
    const bool is_large = kind_ != actors::pattern::single && random_.below(3) == 0;
    return is_large ? all_detached(outputs) : outputs;
  }

  /// The outputs with their bytes.
  models::tensor_list bytes_of(const models::tensor_list& outputs) const {
    models::tensor_list result;
    for (auto& output : outputs)
      result.push_back(output.is_detached() ? stored_.at(output.digest) : output);
    return result;
  }

  runtime::error_code error() {
    using enum runtime::error_code;
    static constexpr runtime::error_code codes[] = {node_lost,  agent_lost, agent_timeout,
                                                    overloaded, corrupt,    bad_input};
    return codes[random_.below(std::size(codes))];
  }

private:
  models::tensor_list reduced() {
    // Now and then one that does not fit the others.
    if (random_.below(100) == 0)
      return {models::tensor_of_doubles("y", {2}, {0.0, random_.unit()})};
    return {models::tensor_of_doubles("y", {1}, {random_.unit()})};
  }

  models::tensor_list drawn_scores() {
    const auto value = random_.below(3) == 0 ? static_cast<float>(random_.below(4)) : 1.0F;
    return scores({value, 2.0F - value});
  }

  actors::pattern kind_;
  runtime::random_source& random_;
  std::map<std::string, models::tensor> stored_;
};

/// Of nodes "n0" to "n<count - 1>", those that fit the request, as SCHEDULER has it.
inline std::vector<std::string> fitting_nodes(const actors::execution_request& request,
                                              std::uint64_t count,
                                              const std::set<std::string>& taken) {
  auto names = [](const std::vector<std::string>& list, const std::string& node) {
    return std::find(list.begin(), list.end(), node) != list.end();
  };
  std::vector<std::string> fresh;
  std::vector<std::string> avoided;
  for (std::uint64_t index = 0; index < count; ++index) {
    auto node = "n" + std::to_string(index);
    const bool is_in = request.include.empty() || names(request.include, node);
    if (is_in && !names(request.exclude, node) && !taken.contains(node))
      (names(request.avoid, node) ? avoided : fresh).push_back(node);
  }
  return fresh.empty() ? avoided : fresh;
}

}  // namespace dim::tests
