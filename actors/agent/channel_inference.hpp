#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/agent/channel_codec.hpp"
#include "actors/agent/inference_work.hpp"
#include "actors/agent/interface.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/channel_end.hpp"

/// Part of `dim::inference`, which links LibTorch.
namespace dim::actors {

/// INFERENCE of a `dim-agent` process at the end of a channel in shared memory: see CHANNEL, at the
/// other end. It runs on the channel's thread, which is the only one to wake it, and there loads
/// its model and runs its forwards, one question at a time.
///
/// A channel that can not be read ends the process (`on_broken`): the node starts another one.
struct channel_inference_state {
  static inline const char* name = "INFERENCE";
  static constexpr bool runs_on_lanes = true;
  static constexpr bool works_long = true;
  using self_pointer = runtime::actor_self<channel_actor, channel_inference_state>;
  using broken_function = std::function<void(const runtime::failure&)>;

  explicit channel_inference_state(self_pointer pointer) : self(pointer) {
  }

  void begin(std::shared_ptr<runtime::shared_channel> channel, broken_function on_broken);
  /// Answers all questions that have come.
  void look();
  std::string describe() const {
    return work.describe();
  }

private:
  inference_reply answer_to(const inference_question& question);

  self_pointer self;
  inference_work work;
  broken_function tell_broken;
  std::optional<runtime::channel_end> end;
};

channel_actor::behavior_type channel_inference(channel_inference_state::self_pointer self,
                                               std::shared_ptr<runtime::shared_channel> channel,
                                               channel_inference_state::broken_function on_broken);

}  // namespace dim::actors
