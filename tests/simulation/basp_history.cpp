// What was seen in a simulated cluster over real BASP, and whether it has come to rest.
#include <algorithm>

#include "actors/store/job_reader.hpp"
#include "actors/store/records.hpp"
#include "actors/type_ids.hpp"
#include "tests/simulation/basp_world.hpp"
#include "tests/simulation/observer.hpp"

namespace dim::simulation {

namespace {

using actors::job_view;

scenario::logged_event logged(const actors::event& from, std::int64_t base_ms) {
  return {from.number,       from.topic,   from.kind,   from.job_id,
          from.execution_id, from.node_id, from.detail, from.at - base_ms};
}

scenario::final_job final_of(const job_view& view) {
  scenario::final_job job;
  job.id = view.record.id;
  job.pattern = std::string{to_string(view.record.spec.kind)};
  job.state = std::string{to_string(view.record.state)};
  if (view.record.error.code != runtime::error_code::none)
    job.error_code = std::string{to_string(view.record.error.code)};
  if (view.record.spec.kind == actors::pattern::replicated) {
    job.redundancy = view.record.spec.redundancy;
    job.consensus = view.record.spec.consensus;
  }
  job.has_result = view.has_result;
  job.is_hedged = view.record.spec.hedge_after_ms > 0;
  return job;
}

scenario::final_execution final_of(const actors::execution_record& from) {
  return {from.id,
          from.job_id,
          from.node_id,
          from.epoch,
          from.step,
          from.slot,
          from.attempt,
          std::string{to_string(from.state)},
          from.result_digest,
          from.verdict,
          fitting_nodes_of(from)};
}

/// Every stored job with its executions.
runtime::expected<void> read_jobs(const runtime::transaction& snapshot, scenario::history& seen) {
  std::vector<std::string> ids;
  auto visited = snapshot.range(actors::tables::jobs, {}, [&](std::string_view key, auto) {
    ids.emplace_back(key);
    return true;
  });
  if (!visited)
    return visited;
  for (const auto& id : ids) {
    auto view = actors::read_job(snapshot, id);
    auto executions = actors::read_executions(snapshot, id);
    if (!view || !executions)
      return tl::unexpected(view ? executions.error() : view.error());
    seen.jobs.push_back(final_of(*view));
    for (const auto& execution : executions->executions)
      seen.executions.push_back(final_of(execution));
  }
  return {};
}

runtime::expected<void> read_events(const runtime::transaction& snapshot, std::int64_t base_ms,
                                    scenario::history& seen) {
  while (true) {
    const auto last = seen.events.empty() ? 0 : seen.events.back().number;
    auto page = actors::read_events_after(snapshot, last, 1'000);
    if (!page)
      return tl::unexpected(page.error());
    if (page->events.empty())
      return {};
    for (const auto& event : page->events)
      seen.events.push_back(logged(event, base_ms));
  }
}

}  // namespace

bool basp_world::is_settled() {
  if (!clients_->is_done())
    return false;
  auto& head = *hosts_.front();
  if (!std::all_of(hosts_.begin(), hosts_.end(), [](auto& each) { return each->is_awake(); }))
    return false;
  auto registry = head.orchestrator->services.registry.get();
  if (!registry)
    return false;
  const auto members = head.process->ask<actors::node_list>(registry, actors::list_nodes{});
  if (!members)
    return false;
  std::size_t online = 0;
  for (const auto& each : members->nodes)
    online += each.state == actors::node_state::online || each.state == actors::node_state::busy;
  return online >= plan_.nodes;
}

void basp_world::note_baseline(std::map<std::string, std::int64_t>& counts) {
  for (auto& each : hosts_) {
    if (!each->is_up())
      continue;
    for (const auto& line : each->process->context().actors.lines()) {
      // Agents stay for a while when their work is done, and clients until theirs is.
      const auto lingers = line.name == "CLIENT" || line.name == "AGENT" || line.name == "THREAD"
                           || line.name == "INFERENCE";
      counts["actors of " + each->name] += lingers ? 0 : 1;
      counts["messages in mailboxes of " + each->name] += line.mailbox;
    }
  }
}

void basp_world::note_violation(const std::string& invariant, const std::string& detail) {
  result_.violations.push_back({invariant, detail});
}

void basp_world::collect() {
  auto& seen = result_.seen;
  for (const auto& [name, count] : clients_->paths)
    seen.paths[name] += count;
  if (!clients_->is_done())
    note_violation("everything_finishes", std::to_string(clients_->jobs - clients_->ended)
                                            + " of " + std::to_string(clients_->jobs)
                                            + " jobs were not seen to end");
  for (const auto& [name, count] : before_)
    seen.baselines.push_back({name, count, after_.contains(name) ? after_.at(name) : 0});
  auto& head = *hosts_.front();
  if (!head.is_up())
    return note_violation("everything_finishes", "the orchestrator did not come back");
  auto snapshot = head.orchestrator->disk.database->read();
  if (!snapshot)
    return note_violation("store_is_readable", snapshot.error().message);
  auto jobs = read_jobs(*snapshot, seen);
  auto events = read_events(*snapshot, head.wall_base_ms, seen);
  if (!jobs || !events)
    note_violation("store_is_readable", (jobs ? events : jobs).error().message);
  for (auto& job : seen.jobs)
    for (const auto& made : seen.submissions)
      if (made.job_id == job.id)
        job.idempotency_key = made.idempotency_key;
  for (const auto& event : seen.events) {
    ++seen.paths["event_" + event.kind];
    if (trace_.is_written())
      trace_.line(event.at_ms * 1'000, "event " + std::to_string(event.number) + " " + event.kind
                                         + " job " + event.job_id + " execution "
                                         + event.execution_id + " node " + event.node_id + " "
                                         + event.detail);
  }
  for (const auto& each : seen.executions)
    if (trace_.is_written())
      trace_.line(now_ms() * 1'000,
                  "execution " + each.id + " of " + each.job_id + " epoch "
                    + std::to_string(each.epoch) + " step " + std::to_string(each.step) + " slot "
                    + std::to_string(each.slot) + " attempt " + std::to_string(each.attempt) + " "
                    + each.state + " on " + each.node_id);
  const auto& wire = network_.counts();
  seen.paths["dial_refused"] = wire.refused;
  seen.paths["wire_corrupted"] = wire.corrupted;
  seen.paths["wire_truncated"] = wire.truncated;
  collect_nodes();
}

void basp_world::collect_nodes() {
  auto& head = *hosts_.front();
  const auto members = head.process->ask<actors::node_list>(
    head.orchestrator->services.registry.get(), actors::list_nodes{});
  if (!members)
    return note_violation("everything_finishes", "REGISTRY does not answer");
  for (const auto& each : members->nodes) {
    const auto is_expected = std::any_of(hosts_.begin(), hosts_.end(), [&](const auto& host) {
      return host->name == "node/" + each.facts.id;
    });
    result_.seen.nodes.push_back({each.facts.id, std::string{to_string(each.state)},
                                  each.reputation, is_expected});
  }
}

}  // namespace dim::simulation
