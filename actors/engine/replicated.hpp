#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/engine/join/agreement_graph.hpp"
#include "actors/engine/pattern.hpp"

namespace dim::actors {

/// One model on n different nodes that never see each other's answer; the result is the answer on
/// which k of them agree, byte for byte as the most central of them gave it (never an average).
///
///   n run --an answer--> k agree? --yes--> finish, then judge the stragglers
///            |                 \--no, and none runs--> one more, until 2n+1 or no node is left
///            \--a replica fails--> one more in its place, within the same limit
///
/// It gives up with
///   no_consensus  k answers came, but none has k that agree with it: nobody is punished;
///   no_nodes      fewer than k answers came and no node is left, with each node's reason;
///   poison_input  the input killed agents on two nodes;
///   what k replicas say that can not heal (bad_input, ...), or else what the last one said.
///
/// Values are read only when digests differ: then one answer of each digest is loaded.
class replicated_pattern : public pattern_logic {
public:
  explicit replicated_pattern(const job_spec& spec);

  bool needs_model_specs() const override {
    return method_ == comparison::label;
  }
  pattern_actions start(const pattern_start& start) override;
  pattern_actions answered(place_answer answer) override;
  pattern_actions failed(place_failure failure) override;
  pattern_actions outputs_loaded(place_id place,
                                 runtime::expected<models::tensor_list> outputs) override;

private:
  place_plan next_place();
  bool may_add() const;
  /// Moves answers from `arrived_` into the graph, as far as their values are there.
  pattern_actions take_arrived();
  /// The loads that the comparison of `answer` with all others still needs.
  pattern_actions loads_for(const place_answer& answer);
  bool needs_load(const place_answer& answer) const;
  void request_load(const place_answer& answer, pattern_actions& actions);
  models::agreement compare(const place_answer& one, const place_answer& other) const;
  void add_to_graph(place_answer answer);
  /// What to do after every change.
  pattern_actions proceed();
  pattern_actions conclude() const;
  finish finish_with(const quorum& found);
  verdict judge(std::size_t index) const;
  comparison method_used() const;

  models::tensor_list inputs_;
  std::uint32_t redundancy_;
  std::uint32_t consensus_;
  comparison method_;
  models::model_spec model_spec_;

  std::uint32_t launched_ = 0;
  /// Places without an outcome.
  std::set<place_id> running_;
  /// Answers that wait for values, in the order of their arrival.
  std::deque<place_answer> arrived_;
  /// The answers of the graph, in its order.
  std::vector<place_answer> answers_;
  agreement_graph graph_;
  /// Values by digest; empty where they could not be loaded.
  std::map<std::string, models::tensor_list> values_;
  std::map<place_id, std::string> loading_;

  std::optional<runtime::failure> no_nodes_;
  runtime::failure last_failure_;
  /// Failures that can not heal, by code.
  std::map<runtime::error_code, std::uint32_t> hopeless_;
  /// The index of the consensus answer, once there is one.
  std::optional<std::size_t> canonical_;
};

}  // namespace dim::actors
