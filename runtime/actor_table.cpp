#include "runtime/actor_table.hpp"

#include <algorithm>

#include <caf/all.hpp>

namespace dim::runtime {

namespace {

/// Numbers of CAF's own types lie far below any address.
constexpr message_type number_max = 4096;

}  // namespace

message_type type_of(const caf::type_erased_tuple& content) {
  if (content.empty())
    return 0;
  auto [number, info] = content.type(0);
  return info != nullptr ? reinterpret_cast<message_type>(info) : number;
}

std::string name_of(caf::actor_system& system, message_type type) {
  if (type == 0)
    return {};
  auto number = static_cast<std::uint16_t>(type <= number_max ? type : 0);
  auto* info = number != 0 ? nullptr : reinterpret_cast<const std::type_info*>(type);
  auto name = system.types().portable_name(number, info);
  auto colon = name.rfind("::");
  return colon == std::string::npos ? name : name.substr(colon + 2);
}

std::vector<trace_entry> trace_ring::entries() const {
  std::vector<trace_entry> result;
  auto end = next_.load(std::memory_order_relaxed);
  auto begin = end - std::min<std::uint64_t>(end, size);
  for (auto index = begin; index < end; ++index) {
    auto& entry = entries_[index % size];
    result.push_back({entry.type.load(std::memory_order_relaxed),
                      entry.at_ns.load(std::memory_order_relaxed)});
  }
  return result;
}

std::shared_ptr<actor_vitals> actor_table::enter(const caf::strong_actor_ptr& self,
                                                 std::string name, std::uint64_t parent,
                                                 std::int64_t now_ns, bool works_long) {
  auto vitals = std::make_shared<actor_vitals>();
  vitals->id = self->id();
  vitals->name = std::move(name);
  vitals->parent = parent;
  vitals->started_at_ns = now_ns;
  vitals->works_long = works_long;
  std::lock_guard guard{mutex_};
  actors_[self->id()] = {vitals, caf::actor_cast<caf::weak_actor_ptr>(self)};
  return vitals;
}

void actor_table::leave(std::uint64_t id) {
  std::lock_guard guard{mutex_};
  actors_.erase(id);
}

void actor_table::rename(std::uint64_t id, std::string name) {
  std::lock_guard guard{mutex_};
  auto found = actors_.find(id);
  if (found != actors_.end())
    found->second.vitals->name = std::move(name);
}

std::vector<actor_line> actor_table::lines() const {
  std::vector<actor_line> result;
  std::lock_guard guard{mutex_};
  result.reserve(actors_.size());
  for (auto& [id, entry] : actors_) {
    auto& vitals = *entry.vitals;
    result.push_back({id, vitals.name, vitals.parent, vitals.started_at_ns, vitals.mailbox.load(),
                      vitals.mailbox_peak.load(), vitals.handled.load(),
                      vitals.current_type.load(), vitals.busy_since_ns.load()});
  }
  return result;
}

std::vector<working_actor> actor_table::working() const {
  std::vector<working_actor> result;
  std::lock_guard guard{mutex_};
  for (auto& [id, entry] : actors_) {
    auto& vitals = *entry.vitals;
    // In this order: a message that begins meanwhile counts from its own beginning.
    auto message = vitals.current_type.load();
    auto since_ns = vitals.busy_since_ns.load();
    if (message != 0)
      result.push_back(
        {id, vitals.name, message, since_ns, vitals.mailbox.load(), vitals.works_long});
  }
  return result;
}

caf::actor actor_table::find(std::uint64_t id) const {
  std::lock_guard guard{mutex_};
  auto found = actors_.find(id);
  return found == actors_.end() ? caf::actor{}
                                : caf::actor_cast<caf::actor>(found->second.self.lock());
}

std::shared_ptr<const actor_vitals> actor_table::vitals(std::uint64_t id) const {
  std::lock_guard guard{mutex_};
  auto found = actors_.find(id);
  return found == actors_.end() ? nullptr : found->second.vitals;
}

std::vector<caf::actor> actor_table::handles() const {
  std::vector<caf::actor> result;
  std::lock_guard guard{mutex_};
  for (auto& [id, entry] : actors_)
    if (auto self = entry.self.lock())
      result.push_back(caf::actor_cast<caf::actor>(self));
  return result;
}

}  // namespace dim::runtime
