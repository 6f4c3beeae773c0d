#include "runtime/actor_table.hpp"

namespace dim::runtime {

std::shared_ptr<actor_vitals> actor_table::enter(std::uint64_t id, std::string name,
                                                 std::uint64_t parent, std::int64_t now_ns) {
  auto vitals = std::make_shared<actor_vitals>();
  vitals->id = id;
  vitals->name = std::move(name);
  vitals->parent = parent;
  vitals->started_at_ns = now_ns;
  std::lock_guard guard{mutex_};
  actors_[id] = vitals;
  return vitals;
}

void actor_table::leave(std::uint64_t id) {
  std::lock_guard guard{mutex_};
  actors_.erase(id);
}

std::vector<actor_line> actor_table::lines() const {
  std::vector<actor_line> result;
  std::lock_guard guard{mutex_};
  result.reserve(actors_.size());
  for (auto& [id, vitals] : actors_)
    result.push_back({id, vitals->name, vitals->parent, vitals->started_at_ns,
                      vitals->mailbox.load(), vitals->mailbox_peak.load(), vitals->handled.load(),
                      vitals->current_type.load(), vitals->busy_since_ns.load()});
  return result;
}

}  // namespace dim::runtime
