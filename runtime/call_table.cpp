#include "runtime/call_table.hpp"

#include <vector>

namespace dim::runtime {

void call_table::add(std::uint64_t id, entry what) {
  deadlines_.emplace(what.due_ns, id);
  pending_.emplace(id, std::move(what));
  arm();
}

bool call_table::take(std::uint64_t id, entry& what) {
  auto found = pending_.find(id);
  if (found == pending_.end())
    return false;
  what = std::move(found->second);
  pending_.erase(found);
  deadlines_.erase({what.due_ns, id});
  return true;
}

void call_table::fail(std::uint64_t id, const failure& reason) {
  entry failed;
  if (!take(id, failed))
    return;
  owner_->forget_reply(failed.reply);
  failed.fail(reason);
}

void call_table::fail_node(const std::string& node_key, const failure& reason) {
  std::vector<std::uint64_t> ids;
  for (auto& [id, what] : pending_)
    if (what.node_key == node_key)
      ids.push_back(id);
  for (auto id : ids)
    fail(id, reason);
}

void call_table::fail_all(const failure& reason) {
  std::vector<std::uint64_t> ids;
  for (auto& [id, what] : pending_)
    ids.push_back(id);
  for (auto id : ids)
    fail(id, reason);
}

void call_table::pass_deadline(std::int64_t due_ns) {
  alarm_.fire(due_ns);
  auto now = owner_->clock_now_ns();
  // What a failed call's callback asks anew may be due already: it waits for its own timer.
  std::vector<std::uint64_t> ids;
  for (auto& [due, id] : deadlines_) {
    if (due > now)
      break;
    ids.push_back(id);
  }
  for (auto id : ids) {
    auto found = pending_.find(id);
    if (found != pending_.end())
      fail(id, {error_code::timeout,
                "no reply within " + std::to_string(found->second.deadline_ms) + " ms",
                {}});
  }
  arm();
}

void call_table::arm() {
  if (deadlines_.empty())
    return;
  if (auto at = alarm_.set(deadlines_.begin()->first, owner_->clock_now_ns()))
    owner_->watch_deadline(this, *at);
}

}  // namespace dim::runtime
