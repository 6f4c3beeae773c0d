#include "actors/message_types.hpp"

#include <caf/actor_system_config.hpp>

#include "actors/type_ids.hpp"

namespace dim::actors {

void add_message_types(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::dim_actors>();
}

}  // namespace dim::actors
