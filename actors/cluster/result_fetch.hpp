#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/cluster/interface.hpp"
#include "runtime/actor_base.hpp"

namespace dim::actors {

/// Has no messages of its own.
using result_fetch_actor = caf::typed_actor<caf::reacts_to<caf::tick_atom>>;

/// RESULT_FETCH pulls the large outputs of one execution from its node, in chunks of 1 MiB with a
/// few on the way at once, and tells SCHEDULER. It ends with its work.
struct result_fetch_state {
  static inline const char* name = "RESULT_FETCH";
  using self_pointer = runtime::actor_self<result_fetch_actor, result_fetch_state>;

  void request_more();
  void take(std::size_t output, std::uint64_t offset, const chunk& part);
  void finish(runtime::failure error);

  self_pointer self = nullptr;
  scheduler_actor owner;
  node_actor source;
  std::string execution_id;
  models::tensor_list outputs;
  std::vector<std::vector<char>> buffers;
  /// The next chunk to ask for, the chunks on their way, and the bytes still to come.
  std::size_t next_output = 0;
  std::uint64_t next_offset = 0;
  std::uint32_t on_the_way = 0;
  std::uint64_t bytes_left = 0;
  bool is_done = false;
};

result_fetch_actor::behavior_type result_fetch(result_fetch_state::self_pointer self,
                                               scheduler_actor owner, node_actor source,
                                               std::string execution_id,
                                               models::tensor_list outputs);

}  // namespace dim::actors
