#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "actors/store/model_messages.hpp"

namespace dim::tests {

/// What tells the agents of one version from those of another: name, version, file, revision.
using agent_id = std::tuple<std::string, std::string, std::string, std::uint32_t>;

inline agent_id id_of(const actors::model_entry& entry) {
  return {entry.name, entry.version, entry.digest, entry.revision};
}

inline bool has_agents(const actors::model_entry& entry) {
  return entry.spec.kind != models::model_kind::ensemble;
}

inline std::string in_words(const agent_id& id) {
  auto& [name, version, digest, revision] = id;
  return name + ":" + version + " (" + digest + ", revision " + std::to_string(revision) + ")";
}

}  // namespace dim::tests
