#include "tests/simulation/planted_commits.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "actors/node/messages.hpp"
#include "actors/store/records.hpp"
#include "actors/type_ids.hpp"
#include "runtime/record_codec.hpp"

namespace dim::simulation {

namespace {

using actors::commit_changes;

bool ends_a_job(const actors::event& fact) {
  return fact.kind == "job_completed" || fact.kind == "job_failed" || fact.kind == "job_cancelled";
}

struct hasty_state {
  static inline const char* name = "HASTY STORE";
};

caf::behavior hasty_store(runtime::actor_self<caf::actor, hasty_state> self, caf::actor target) {
  self->link_to(target);
  return {[self, target](const commit_changes& commit) {
    self->delayed_anon_send(target, std::chrono::milliseconds{300}, commit);
    return actors::commit_result{true, {}, 0};
  }};
}

}  // namespace

void bug_before_store::on_orchestrator(tools::orchestrator_services& services,
                                       std::vector<runtime::child_spec>& children) {
  put_in_front(children, "STORE", services.store, [this](caf::message& content) {
    if (!content.match_elements<commit_changes>())
      return true;
    return alter(content.get_mutable_as<commit_changes>(0));
  });
}

void acknowledged_before_commit::on_orchestrator(tools::orchestrator_services& services,
                                                 std::vector<runtime::child_spec>& children) {
  for (auto& child : children) {
    if (child.name != "STORE")
      continue;
    child.start = [start = child.start, cell = services.store](caf::local_actor& parent) mutable
      -> runtime::expected<caf::strong_actor_ptr> {
      auto started = start(parent);
      if (started)
        cell.set(caf::actor_cast<actors::store_actor>(
          parent.spawn(hasty_store, caf::actor_cast<caf::actor>(*started))));
      return started;
    };
  }
}

bool commit_never_answered::alter(commit_changes& commit) {
  return commit.events.empty() || ++commits_ % 40 != 0;
}

bool terminal_state_overwritten::alter(commit_changes& commit) {
  auto later = std::exchange(pending_, {});
  for (const auto& fact : commit.events) {
    if (fact.kind != "job_completed")
      continue;
    for (const auto& change : commit.changes) {
      if (change.table != actors::tables::jobs || change.key != fact.job_id)
        continue;
      auto record = runtime::decode_record<actors::job_record>(change.value.view());
      if (!record)
        continue;
      record->state = actors::job_state::failed;
      auto again = change;
      again.value = runtime::encode_record(*record);
      pending_.push_back(std::move(again));
    }
  }
  commit.changes.insert(commit.changes.end(), later.begin(), later.end());
  return true;
}

bool terminal_state_lost::alter(commit_changes& commit) {
  const auto end = std::find_if(commit.events.begin(), commit.events.end(), ends_a_job);
  if (end == commit.events.end() || ++ends_ % 10 != 0)
    return true;
  std::erase_if(commit.changes, [](const actors::change& change) {
    return change.table.starts_with(actors::tables::jobs);
  });
  return true;
}

bool event_number_skipped::alter(commit_changes& commit) {
  if (++commits_ % 50 == 0)
    commit.changes.push_back({actors::change_kind::put, actors::tables::meta,
                              std::string{actors::last_event_key},
                              runtime::bytes::copy_of(actors::number_key(1'000'000 + commits_))});
  return true;
}

bool loss_counted_on_each_look::alter(commit_changes& commit) {
  auto again = std::exchange(again_, {});
  const auto is_loss = [](const actors::event& fact) { return fact.kind == "node_lost"; };
  if (std::any_of(commit.events.begin(), commit.events.end(), is_loss))
    again_ = commit.events;
  commit.events.insert(commit.events.end(), again.begin(), again.end());
  return true;
}

void fence_removed::on_orchestrator(tools::orchestrator_services& services,
                                    std::vector<runtime::child_spec>& children) {
  bug_before_store::on_orchestrator(services, children);
  put_in_front(children, "SCHEDULER", services.scheduler, [this](caf::message& content) {
    if (!content.match_elements<actors::execution_finished>())
      return true;
    const auto& news = content.get_as<actors::execution_finished>(0);
    const auto found = lost_.find(news.execution_id);
    if (found != lost_.end() && news.error.code == runtime::error_code::none) {
      auto fact = found->second;
      fact.kind = "execution_completed";
      late_.push_back(std::move(fact));
    }
    return true;
  });
}

bool fence_removed::alter(commit_changes& commit) {
  auto late = std::exchange(late_, {});
  for (const auto& fact : commit.events)
    if (fact.kind == "execution_lost")
      lost_.emplace(fact.execution_id, fact);
  commit.events.insert(commit.events.end(), late.begin(), late.end());
  return true;
}

}  // namespace dim::simulation
