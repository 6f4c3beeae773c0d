#pragma once

#include <optional>

#include "actors/cluster/messages.hpp"
#include "gateway/inference_totals.hpp"
#include "gateway/json_writer.hpp"

namespace dim::gateway {

/// Writes a node as `GET /api/v1/nodes` lists it, with every member always there.
void write_node(json_writer& out, const actors::node_record& node);

/// Writes the cluster's totals, as `/stats` and `/api/v1/status` show them.
void write_status(json_writer& out, const actors::cluster_status& status,
                  const std::optional<inference_totals>& inferences);

}  // namespace dim::gateway
