#include "actors/node/outbox.hpp"

#include <algorithm>

namespace dim::actors {

const execution_finished& outbox::keep(execution_finished finished, std::int64_t now_ms,
                                       std::int64_t until_ms) {
  if (auto older = entries_.find(finished.execution_id); older != entries_.end())
    erase(older);
  for (auto& output : finished.outputs) {
    if (output.data.size() <= inline_data_max)
      continue;
    auto& kept = large_[output.digest];
    if (kept.users++ == 0) {
      kept.data = output.data;
      bytes_ += output.data.size();
    }
    output = models::detached(output);
  }
  auto id = finished.execution_id;
  auto position = entries_.emplace(std::move(id), entry{std::move(finished), now_ms, until_ms});
  return position.first->second.message;
}

outbox::entry_map::iterator outbox::erase(entry_map::iterator position) {
  for (auto& output : position->second.message.outputs) {
    auto kept = output.is_detached() ? large_.find(output.digest) : large_.end();
    if (kept == large_.end() || --kept->second.users > 0)
      continue;
    bytes_ -= kept->second.data.size();
    large_.erase(kept);
  }
  return entries_.erase(position);
}

void outbox::acknowledge(const std::string& execution_id, std::uint32_t epoch) {
  auto found = entries_.find(execution_id);
  if (found != entries_.end() && found->second.message.epoch == epoch)
    erase(found);
}

void outbox::each(const std::function<bool(const execution_finished&)>& visit) const {
  for (auto& [id, entry] : entries_)
    if (!visit(entry.message))
      return;
}

const execution_finished* outbox::find(const std::string& execution_id,
                                       std::uint32_t epoch) const {
  auto found = entries_.find(execution_id);
  if (found == entries_.end() || found->second.message.epoch != epoch)
    return nullptr;
  return &found->second.message;
}

std::vector<execution_finished> outbox::take_due(std::int64_t now_ms, std::int64_t resend_ms,
                                                 std::size_t results_max) {
  std::vector<execution_finished> result;
  for (auto position = entries_.begin(); position != entries_.end();) {
    auto& each = position->second;
    if (now_ms >= each.until_ms) {
      position = erase(position);
      continue;
    }
    if (now_ms - each.sent_at_ms >= resend_ms && result.size() < results_max) {
      each.sent_at_ms = now_ms;
      result.push_back(each.message);
    }
    ++position;
  }
  return result;
}

runtime::expected<chunk> outbox::read(const fetch_chunk& wanted) const {
  auto found = large_.find(wanted.digest);
  if (found == large_.end())
    return runtime::fail(runtime::error_code::not_found, "no output with digest " + wanted.digest);
  auto whole = found->second.data.view();
  if (wanted.offset > whole.size() || wanted.length > (1u << 20))
    return runtime::fail(runtime::error_code::bad_input,
                         "chunk at " + std::to_string(wanted.offset) + " of " +
                           std::to_string(whole.size()) + " bytes");
  auto part = whole.substr(wanted.offset, wanted.length);
  return chunk{runtime::bytes::copy_of(part), whole.size()};
}

}  // namespace dim::actors
