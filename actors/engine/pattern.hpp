#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "actors/engine/messages.hpp"
#include "actors/engine/place.hpp"
#include "actors/job/job_record.hpp"
#include "models/model_spec.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

/// What the five patterns have in common: what they are told, and what they want done. A pattern is
/// pure: it knows no actor and no clock, draws no random number, and sees of every place only its
/// final outcome, after the retries (see attempts.hpp).
namespace dim::actors {

// -- What a pattern is told -----------------------------------------------------------------------

struct pattern_start {
  /// One entry a step, where the pattern asks for them (`needs_model_specs`); else empty.
  std::vector<models::model_spec> model_specs;
  /// chained: the steps whose outputs are stored, and the outputs of the last of them.
  std::uint32_t steps_done = 0;
  models::tensor_list stored_outputs;
};

/// A place has its answer.
struct place_answer {
  place_id place;
  std::string execution_id;
  std::string node_id;
  /// Detached where they are large.
  models::tensor_list outputs;
  std::string digest;
  std::uint64_t rows = 0;
};

/// A place stays without an answer.
struct place_failure {
  place_id place;
  std::string node_id;
  runtime::failure error;
};

// -- What a pattern wants done --------------------------------------------------------------------

/// One execution to be made, and tried again as `retry` says.
struct place_plan {
  place_id id;
  models::tensor_list inputs;
  /// Node ids, beside what the submitter chose. `include` empty: every node that the submitter
  /// allows. Those to `avoid` are taken only where no other fits.
  std::vector<std::string> include;
  std::vector<std::string> avoid;
  retry_place retry = retry_place::other_node;
  /// Every place of this step runs this input.
  bool shared_input = true;
};

/// Runs all of `group` on different nodes at once, or none of it.
struct launch {
  std::vector<place_plan> group;
  /// Nor on any node that was ever given an execution of another place.
  bool distinct_nodes = false;
};

/// Asks which nodes hold the job's cabinet; `cabinet_found` is the answer.
struct find_holders {};

/// Fetches the bytes of detached outputs; `outputs_loaded` is the answer.
struct load_outputs {
  place_id place;
  models::tensor_list outputs;
};

/// Stores a step's outputs; `step_stored` is the answer.
struct store_step {
  std::uint32_t step = 0;
  models::tensor_list outputs;
};

/// Whether an answer agreed with the consensus.
struct verdict {
  std::string execution_id;
  bool agreed = false;

  bool operator==(const verdict&) const = default;
};

/// The pattern has its answer. What has no node yet is withdrawn.
struct finish {
  job_result result;
  std::vector<verdict> verdicts;
  /// Let executions end that run now, to judge them; else they are withdrawn too.
  bool await_stragglers = false;
};

/// The pattern can not reach an answer. Everything is withdrawn.
struct give_up {
  runtime::failure error;
  /// Stored outputs of steps are to be removed.
  bool rolled_back = false;
};

/// After `finish`: a straggler was compared with the consensus.
struct judge_straggler {
  verdict judged;
};

using pattern_action =
  std::variant<launch, find_holders, load_outputs, store_step, finish, give_up, judge_straggler>;
using pattern_actions = std::vector<pattern_action>;

/// One pattern's logic.
///
///   start --> places run and are answered or fail --> finish | give_up --> stragglers
///
/// Exactly one `finish` or `give_up` is returned over its life, unless it is stopped before. After
/// a `finish` that awaits stragglers only `answered` and `outputs_loaded` follow, after any other
/// end nothing.
class pattern_logic {
public:
  virtual ~pattern_logic() = default;

  /// Whether `start` is to bring the specs of the models.
  virtual bool needs_model_specs() const {
    return false;
  }

  /// Comes first, once.
  virtual pattern_actions start(const pattern_start& start) = 0;

  /// A place has its answer.
  virtual pattern_actions answered(place_answer answer) = 0;

  /// A place has failed for good.
  virtual pattern_actions failed(place_failure failure) = 0;

  /// collaborative: the answer to `find_holders`.
  virtual pattern_actions cabinet_found(const cabinet_nodes& found);

  /// The answer to `load_outputs`: the tensors with their bytes, or why they could not be had.
  virtual pattern_actions outputs_loaded(place_id place,
                                         runtime::expected<models::tensor_list> outputs);

  /// chained: the outputs of `step` are on disk.
  virtual pattern_actions step_stored(std::uint32_t step);

  /// The job's time is over: the last chance to finish with what has come. Gives up with `timeout`
  /// unless the pattern can do better.
  virtual pattern_actions time_is_up();
};

/// Makes the logic of `spec.kind`.
std::unique_ptr<pattern_logic> make_pattern(const job_spec& spec);

/// Whether any of these outputs has to be fetched before its values can be read.
bool is_any_detached(const models::tensor_list& outputs) noexcept;

}  // namespace dim::actors
