#include "runtime/errors.hpp"

#include <array>

namespace dim::runtime {

namespace {

struct description {
  std::string_view name;
  std::string_view sentence;
  bool retryable;
};

constexpr std::array<description, error_code_count> descriptions{{
  {"none", "No error.", false},
  {"bad_input", "The request is wrong and will stay wrong.", false},
  {"not_found", "The named thing does not exist.", false},
  {"model_not_found", "There is no such model or version.", false},
  {"bad_model", "The file is not a TorchScript program that fits its configuration.", false},
  {"unsupported", "This version can not do that.", false},
  {"conflict", "The present state does not allow it.", false},
  {"too_large", "A size is over its limit.", false},
  {"unauthorized", "A credential is missing or wrong.", false},
  {"forbidden", "The credential does not allow it.", false},
  {"overloaded", "A queue is full; try again later.", true},
  {"unavailable", "The service is not ready; try again later.", true},
  {"expired", "No time was left before the work began.", false},
  {"timeout", "The work did not end in its time.", true},
  {"cancelled", "The caller withdrew it.", false},
  {"no_nodes", "Too few nodes fit, or none was free in time.", false},
  {"no_consensus", "The answers of the nodes do not agree.", false},
  {"node_lost", "The node went away with the work in hand.", true},
  {"agent_lost", "The agent process died.", true},
  {"agent_timeout", "The agent process was killed at its timeout.", true},
  {"memory_limit", "The agent went beyond its memory limit.", true},
  {"poison_input", "The input has killed agents on two nodes.", false},
  {"corrupt", "Bytes do not have the digest they were sent with.", true},
  {"store_corrupt", "A stored value does not have its checksum.", false},
  {"store_full", "The disk or the map of the store is full.", false},
  {"protocol_mismatch", "The peer belongs to another cluster or speaks another protocol.", false},
  {"internal", "A defect of this program.", true},
}};

}  // namespace

std::string_view to_string(error_code code) noexcept {
  return descriptions[static_cast<std::size_t>(code)].name;
}

std::string_view sentence_of(error_code code) noexcept {
  return descriptions[static_cast<std::size_t>(code)].sentence;
}

error_code error_code_from(std::string_view name) noexcept {
  for (std::size_t index = 0; index < descriptions.size(); ++index)
    if (descriptions[index].name == name)
      return static_cast<error_code>(index);
  return error_code::internal;
}

bool is_retryable(error_code code) noexcept {
  return descriptions[static_cast<std::size_t>(code)].retryable;
}

}  // namespace dim::runtime
