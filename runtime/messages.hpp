#pragma once

#include <caf/type_id.hpp>

#include "runtime/actor_base.hpp"
#include "runtime/bytes.hpp"
#include "runtime/directory_messages.hpp"
#include "runtime/errors.hpp"
#include "runtime/link_messages.hpp"
#include "runtime/tree_messages.hpp"

/// The runtime's own message types: the first of the two chained type-id blocks.
CAF_BEGIN_TYPE_ID_BLOCK(dim_runtime, caf::first_custom_type_id)
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::describe_actor))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::actor_description))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::failure))
  CAF_ADD_TYPE_ID(dim_runtime, (std::vector<std::string>))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::deadline_due))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::await_tree))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::stop_tree))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::get_tree))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::tree_status))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::child_due))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::link_up))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::link_down))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::redial))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::dial_due))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::list_actors))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::actor_list))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::inspect_actor))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::actor_details))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::get_process_metrics))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::process_metrics))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::others_handled))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::find_stuck_actors))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::stuck_actor_list))
  CAF_ADD_TYPE_ID(dim_runtime, (dim::runtime::greet_peer))
CAF_END_TYPE_ID_BLOCK(dim_runtime)
