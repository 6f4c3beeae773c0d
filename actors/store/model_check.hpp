#pragma once

#include <functional>
#include <string>

#include "actors/store/interface.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/child_run.hpp"

namespace dim::actors {

/// Has no messages of its own.
using model_check_actor = caf::typed_actor<caf::reacts_to<caf::tick_atom>>;

/// Where MODEL_CHECK tells how it went.
using model_check_owner = caf::typed_actor<caf::reacts_to<model_checked>>;

/// Judges the end of a program that opened an uploaded model: no error, or `bad_model` with what
/// the program said last, or `internal` when it could not be started.
runtime::failure judge_model_check(const runtime::expected<runtime::child_end>& end);

/// MODEL_CHECK opens one uploaded file in a child process, tells MODELS how it went, and ends. It
/// is an actor of its own, started detached by MODELS, so that the catalogue answers meanwhile.
struct model_check_state {
  static inline const char* name = "MODEL_CHECK";
  static constexpr bool works_long = true;
  using self_pointer = runtime::actor_self<model_check_actor, model_check_state>;
};

model_check_actor::behavior_type model_check(model_check_state::self_pointer self,
                                             model_check_owner owner, std::string upload_id,
                                             runtime::child_run run);

}  // namespace dim::actors
