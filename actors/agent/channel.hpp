#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/agent/channel_codec.hpp"
#include "actors/agent/interface.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/channel_end.hpp"

namespace dim::actors {

struct channel_arguments {
  std::shared_ptr<runtime::shared_channel> channel;
  /// "digits-mlp:3", for the shell.
  std::string label;
  /// Where the thread runs that waits for answers; none: anywhere.
  std::vector<std::uint32_t> cores;
};

/// CHANNEL stands in the node for the INFERENCE of an agent process: it puts what AGENT asks into
/// shared memory, on the thread on which AGENT runs, and a thread of the channel's own brings the
/// answers. So a batch wakes one thread in the agent process and one in the node, where the socket
/// of the actors' links would wake two each.
///
/// Every question gets one reply. Who ends the process, or hears of its end, ends CHANNEL; AGENT
/// has then given up what it asked. Errors, beside those of INFERENCE: protocol_mismatch (the
/// process has written what can not be read; CHANNEL answers nothing else from then on).
struct channel_state {
  static inline const char* name = "CHANNEL";
  static constexpr bool runs_on_lanes = true;
  using self_pointer = runtime::actor_self<channel_actor, channel_state>;

  explicit channel_state(self_pointer pointer) : self(pointer) {
  }
  /// Who still waits is told.
  ~channel_state();

  void begin(channel_arguments arguments);

  template <class Reply, class Question>
  caf::typed_response_promise<Reply> ask(Question& question);
  /// Something has come, or there is room again.
  void look();
  std::string describe() const;

private:
  using promise = std::variant<caf::typed_response_promise<model_loaded>,
                               caf::typed_response_promise<batch_result>>;

  void take(runtime::channel_frame frame);
  /// Fails all that wait, and all later ones.
  void give_up(const std::string& reason);

  self_pointer self;
  std::string label;
  std::optional<runtime::channel_end> end;
  std::map<std::uint64_t, promise> waiting;
  std::uint64_t last_number = 0;
  /// Why nothing is asked any more; `none` while the channel is good.
  runtime::failure broken;
};

channel_actor::behavior_type channel(channel_state::self_pointer self,
                                     channel_arguments arguments);

}  // namespace dim::actors
