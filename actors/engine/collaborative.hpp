#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "actors/engine/pattern.hpp"

namespace dim::actors {

/// One model on every node that holds the named cabinet, each on its own rows; the reduced answers
/// are aggregated over the nodes.
///
///   find the holders --> one place a holder, all at once --> all ended --> aggregate --> finish
///
/// A holder that fails for good is named in `missing`, and the result is partial. Fewer holders
/// than `nodes.min`, or so many failures that fewer are left, is a failure. A place is tried again
/// on its own node only, because its rows are there; a cabinet that kills its agent is not a
/// poisoned input, for no other node has it. When the time is over, those who have answered count.
class collaborative_pattern : public pattern_logic {
public:
  explicit collaborative_pattern(const job_spec& spec);

  pattern_actions start(const pattern_start& start) override;
  pattern_actions cabinet_found(const cabinet_nodes& found) override;
  pattern_actions answered(place_answer answer) override;
  pattern_actions outputs_loaded(place_id place,
                                 runtime::expected<models::tensor_list> outputs) override;
  pattern_actions failed(place_failure failure) override;
  pattern_actions time_is_up() override;

private:
  std::size_t nodes_min() const;
  pattern_actions add_failure(std::size_t index, runtime::failure error);
  /// Finishes when every holder has ended, gives up when too few can still answer.
  pattern_actions proceed();
  pattern_actions aggregate_answers();
  pattern_actions give_up_short() const;

  job_spec spec_;
  /// By slot: sorted by node id.
  std::vector<participant> participants_;
  /// By slot: 1 for those who answered or failed.
  std::vector<char> ended_;
  std::map<place_id, place_answer> loading_;
};

}  // namespace dim::actors
