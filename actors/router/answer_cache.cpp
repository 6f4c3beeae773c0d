#include "actors/router/answer_cache.hpp"

#include <iterator>
#include <utility>

namespace dim::actors {

namespace {

// Names, shapes and the places of an answer, roughly.
constexpr std::uint64_t tensor_bytes = 256;

std::uint64_t bytes_of(const models::tensor_list& tensors) {
  std::uint64_t bytes = 0;
  for (const models::tensor& each : tensors)
    bytes += tensor_bytes + each.data.size();
  return bytes;
}

}  // namespace

answer_cache::answer_cache(std::uint64_t bytes_max) : bytes_max_(bytes_max) {
}

std::string answer_cache::key_of(const std::string& versions, const models::tensor_list& inputs) {
  return versions + "#" + models::canonical_digest(inputs);
}

const models::tensor_list* answer_cache::find(const std::string& key) {
  const auto found = places_.find(key);
  if (found == places_.end())
    return nullptr;
  answers_.splice(answers_.begin(), answers_, found->second);
  return &answers_.front().outputs;
}

void answer_cache::put(const std::string& key, models::tensor_list outputs) {
  if (const auto found = places_.find(key); found != places_.end())
    drop(found->second);
  const std::uint64_t bytes = bytes_of(outputs);
  if (bytes > bytes_max_)
    return;
  while (bytes_ + bytes > bytes_max_)
    drop(std::prev(answers_.end()));
  answers_.push_front({key, std::move(outputs), bytes});
  places_.emplace(key, answers_.begin());
  bytes_ += bytes;
}

void answer_cache::drop(answers::iterator position) {
  bytes_ -= position->bytes;
  places_.erase(position->key);
  answers_.erase(position);
}

}  // namespace dim::actors
