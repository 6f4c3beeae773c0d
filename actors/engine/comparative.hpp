#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/engine/pattern.hpp"

namespace dim::actors {

/// Several models on one node, one after another, on the same input; they vote on the label.
///
///   run model 0 anywhere --> run model 1 on that node --> ... --> vote --> finish | give up
///            ^-------- the node is gone: drop its answers --------/
///
/// The first model that answers fixes the node. While that node lives, a model is tried again on
/// it; when it is lost, all models run again on another node, at most as often as the job may be
/// tried. A model that fails for good abstains: it is named in `missing` and the result is partial,
/// as long as more than half of the models answer. A tie, or votes of no weight, is `no_consensus`,
/// unless the job lets ties abstain: then it completes without a label. The outputs of the result
/// are those of the first model that voted for the winner. When the time is over, those who have
/// answered vote.
class comparative_pattern : public pattern_logic {
public:
  explicit comparative_pattern(const job_spec& spec);

  bool needs_model_specs() const override {
    return true;
  }
  pattern_actions start(const pattern_start& start) override;
  pattern_actions answered(place_answer answer) override;
  pattern_actions outputs_loaded(place_id place,
                                 runtime::expected<models::tensor_list> outputs) override;
  pattern_actions failed(place_failure failure) override;
  pattern_actions time_is_up() override;

private:
  pattern_actions begin_round();
  pattern_actions run_next();
  /// Reads the label out of `values` and goes on with the next model.
  pattern_actions take_answer(place_answer answer, const models::tensor_list& values);
  pattern_actions abstain(runtime::failure error);
  /// The entry of the model whose turn it is, without an answer yet.
  participant next_voter() const;
  bool is_node_gone(runtime::error_code code) const;
  bool has_quorum() const;
  pattern_actions vote();
  pattern_actions give_up_short() const;

  job_spec spec_;
  std::vector<models::model_spec> model_specs_;
  std::uint32_t rounds_ = 0;
  /// The node of this round, once a model has answered there.
  std::string node_id_;
  /// Nodes that were lost with answers in hand.
  std::vector<std::string> lost_nodes_;
  /// One entry a model that has ended, in the order of the models.
  std::vector<participant> voters_;
  std::optional<place_answer> loading_;
};

}  // namespace dim::actors
