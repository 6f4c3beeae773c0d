#include "tests/simulation/observer.hpp"

#include <utility>

#include "actors/engine/pattern.hpp"
#include "actors/store/job_reader.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::simulation {

namespace {

constexpr std::uint32_t events_max = 10'000;

bool is_execution_end(const std::string& kind) {
  return kind == "execution_completed" || kind == "execution_failed" || kind == "execution_lost"
         || kind == "execution_cancelled";
}

}  // namespace

std::vector<std::string> fitting_nodes_of(const actors::execution_record& from) {
  std::vector<std::string> nodes;
  for (auto& candidate : from.placement)
    if (candidate.refusal.empty())
      nodes.push_back(candidate.node_id);
  return nodes;
}

observer::observer(simulator& sim, cluster& processes) : sim_(sim), cluster_(processes) {
  auto& reputation = cluster_.options().reputation;
  seen_.reputation_initial = reputation.initial;
  seen_.reputation_floor = reputation.floor;
}

void observer::after_step() {
  auto& database = cluster_.disk().database;
  if (!database)
    return;
  auto commits = database->commits();
  if (database.get() == database_ && commits == commits_)
    return;
  database_ = database.get();
  commits_ = commits;
  auto snapshot = database->read();
  if (!snapshot)
    return note_violation("store_is_readable", snapshot.error().message);
  auto news = actors::read_events_after(*snapshot, last_event_, events_max);
  if (!news)
    return note_violation("store_is_readable", news.error().message);
  for (auto& fact : news->events)
    take(fact);
}

void observer::take(const actors::event& fact) {
  scenario::logged_event event{fact.number,  fact.topic,   fact.kind,   fact.job_id,
                               fact.execution_id, fact.node_id, fact.detail, fact.at};
  last_event_ = fact.number;
  if (sim_.steps_taken.is_written())
    sim_.steps_taken.line(sim_.now_us(), "event " + std::to_string(event.number) + " " + event.kind
                                           + " job " + event.job_id + " execution "
                                           + event.execution_id + " node " + event.node_id + " "
                                           + event.detail);
  sim_.steps_taken.mix(event.kind);
  take(check_.note(event));
  note_paths(event);
  seen_.events.push_back(std::move(event));
}

void observer::note_paths(const scenario::logged_event& event) {
  ++seen_.paths["event_" + event.kind];
  if (event.kind == "node_joined" && !joined_.insert(event.node_id).second)
    note_path("rejoin");
  if (is_execution_end(event.kind))
    ended_.insert(event.execution_id);
}

void observer::on_message(caf::scheduled_actor& receiver, const caf::mailbox_element& element) {
  auto& content = element.content();
  if (content.match_elements<caf::down_msg>()) {
    auto why = runtime::to_failure(content.get_as<caf::down_msg>(0).reason).message;
    if (why.find("ended too often") != why.npos)
      note_path("escalation");
    return;
  }
  if (!content.match_elements<actors::execution_finished>()
      || std::string_view{receiver.name()} != "SCHEDULER")
    return;
  auto& news = content.get_as<actors::execution_finished>(0);
  if (!finished_.insert(news.execution_id).second)
    note_path("late_duplicate");
  if (ended_.contains(news.execution_id))
    note_path("fenced_result");
}

void observer::note(const scenario::submission& made) {
  take(check_.note(made));
  seen_.submissions.push_back(made);
}

void observer::note(const scenario::sighting& seen) {
  take(check_.note(seen));
  seen_.sightings.push_back(seen);
}

void observer::take(std::vector<scenario::violation> found) {
  for (auto& one : found)
    violations_.push_back(std::move(one));
}

void observer::note_violation(const std::string& invariant, const std::string& detail) {
  violations_.push_back({invariant, detail});
}

void observer::read_store() {
  auto& database = cluster_.disk().database;
  if (!database)
    return note_violation("store_is_readable", "the orchestrator is down at the end");
  auto snapshot = database->read();
  if (!snapshot)
    return note_violation("store_is_readable", snapshot.error().message);
  actors::list_jobs wish;
  wish.limit = 1'000;
  do {
    auto page = actors::read_page(*snapshot, wish);
    if (!page)
      return note_violation("store_is_readable", page.error().message);
    for (auto& job : page->jobs)
      read_job(*snapshot, job.id);
    wish.cursor = page->next_cursor;
  } while (!wish.cursor.empty());
}

void observer::read_job(const runtime::transaction& snapshot, const std::string& id) {
  auto view = actors::read_job(snapshot, id);
  auto executions = actors::read_executions(snapshot, id);
  if (!view || !executions)
    return note_violation("store_is_readable", "job " + id + " can not be read");
  auto& record = view->record;
  scenario::final_job job;
  job.id = id;
  job.pattern = std::string{to_string(record.spec.kind)};
  job.state = std::string{to_string(record.state)};
  if (record.error.code != runtime::error_code::none)
    job.error_code = std::string{to_string(record.error.code)};
  job.redundancy = record.spec.redundancy;
  job.consensus = record.spec.consensus;
  job.has_result = view->has_result;
  job.is_hedged = record.spec.hedge_after_ms > 0;
  ++seen_.paths["job_" + job.state + (job.error_code.empty() ? "" : "_" + job.error_code)];
  seen_.jobs.push_back(std::move(job));
  if (view->has_result && actors::is_any_detached(view->result.outputs))
    note_path("large_result");
  const bool may_have_hedge = record.spec.hedge_after_ms > 0 && view->has_result;
  for (auto& each : executions->executions) {
    if (each.attempt > 1)
      note_path("retry");
    if (may_have_hedge && each.state == actors::execution_state::cancelled)
      note_path("hedge");
    if (each.error.code != runtime::error_code::none)
      note_path("execution_" + std::string{to_string(each.error.code)});
    seen_.executions.push_back({each.id, each.job_id, each.node_id, each.epoch, each.step,
                                each.slot, each.attempt, std::string{to_string(each.state)},
                                each.result_digest, each.verdict, fitting_nodes_of(each)});
  }
}

void observer::note_nodes(const std::vector<actors::node_record>& nodes) {
  for (auto& each : nodes)
    seen_.nodes.push_back({each.facts.id, std::string{to_string(each.state)},
                           static_cast<double>(each.reputation), true});
}

}  // namespace dim::simulation
