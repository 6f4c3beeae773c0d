#include "actors/cluster/registry.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/cluster/placement.hpp"
#include "actors/cluster/quarantine.hpp"
#include "actors/cluster/reputation.hpp"
#include "actors/store/records.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr auto tick = std::chrono::milliseconds{500};

/// Events that wait for a store that is full; the oldest go first.
constexpr std::size_t unwritten_max = 65'536;

/// How a node's score came to be, as the detail of its event.
std::string score_detail(std::int32_t points, double score, const std::string& execution_id,
                         const std::string& reason) {
  return "{\"points\":" + std::to_string(points) + ",\"score\":" + std::to_string(score)
         + ",\"execution_id\":\"" + execution_id + "\",\"reason\":\"" + reason + "\"}";
}

}  // namespace

void registry_state::initialise(self_pointer pointer, registry_arguments values) {
  self = pointer;
  arguments = std::move(values);
  started_at = runtime::wall_ms(self->home_system());
  looked_at = started_at;
  if (!arguments.queries.get()) {
    is_loaded = true;
    return;
  }
  auto store = arguments.store.get();
  if (!store)
    return load();
  // What an earlier REGISTRY has sent may still wait for the disk; a store that can not write now
  // has been through it just as well.
  self->request(store, caf::infinite, commit_changes{})
    .then([this](const commit_result&) { load(); }, [this](const caf::error&) { load(); });
}

void registry_state::load() {
  self->request(arguments.queries.get(), caf::infinite, load_nodes{})
    .then([this](stored_nodes& stored) { take_stored(stored); },
          [this](const caf::error& what) {
            runtime::log(runtime::log_level::error, name, "could not load the nodes",
                         {{"reason", runtime::to_failure(what).message}});
            self->quit(what);
          });
}

void registry_state::take_stored(stored_nodes& stored) {
  for (auto& record : stored.nodes) {
    record.state = node_state::offline;
    record.load = {};
    auto& node = nodes[record.facts.id];
    node.record = std::move(record);
  }
  is_loaded = true;
}

caf::result<join_accepted> registry_state::join(join_cluster& request) {
  if (!is_loaded)
    return runtime::to_error(error_code::unavailable, "the registry is still loading its nodes");
  if (request.cluster != arguments.cluster)
    return runtime::to_error(
      error_code::protocol_mismatch,
      "this is cluster '" + arguments.cluster + "', the node belongs to '" + request.cluster + "'");
  if (request.protocol != protocol_number)
    return runtime::to_error(error_code::protocol_mismatch,
                             "this cluster speaks protocol " + std::to_string(protocol_number)
                               + ", the node " + std::to_string(request.protocol));
  if (request.facts.id.empty() || !request.handle)
    return runtime::to_error(error_code::bad_input, "a join needs a node id and a handle");
  auto now = runtime::wall_ms(self->home_system());
  auto [found, is_new] = nodes.try_emplace(request.facts.id);
  auto& node = found->second;
  if (is_new) {
    node.record.reputation = double(arguments.reputation.initial);
    node.record.registered_at = now;
  } else if (node.handle && node.record.incarnation != request.incarnation) {
    lose(node, "the node was started again");
  }
  if (node.handle)
    self->demonitor(node.handle.address());
  node.record.facts = std::move(request.facts);
  node.record.incarnation = request.incarnation;
  node.record.state = standing_of(node.record);
  node.record.last_heartbeat = now;
  node.handle = request.handle;
  node.next_probe_at = now + probe_pause_ms(node.record.quarantine, arguments.quarantine);
  self->monitor(node.handle);
  save(node, {event_of(topic_nodes, "node_joined", node, {})});
  // On its way before anything of SCHEDULER's: a node that is no member yet tells nobody what
  // becomes of an execution.
  auto promise = self->make_response_promise<join_accepted>();
  promise.deliver(join_accepted{arguments.generation, arguments.heartbeat_ms});
  tell_of(node);
  if (node.record.drain_wanted)
    self->send(node.handle, set_draining{true, arguments.drain_ms});
  runtime::log(runtime::log_level::info, name, "admitted node",
               {{"node_id", found->first}, {"node", node.record.facts.name}});
  return promise;
}

void registry_state::note_heartbeat(node_heartbeat& news) {
  auto found = nodes.find(news.node_id);
  auto is_member = found != nodes.end() && found->second.handle
                   && found->second.record.incarnation == news.incarnation;
  if (!is_member) {
    if (auto sender = caf::actor_cast<node_actor>(self->current_sender()))
      self->send(sender, rejoin_cluster{});
    return;
  }
  auto& node = found->second;
  node.record.last_heartbeat = runtime::wall_ms(self->home_system());
  node.record.load = std::move(news.load);
  std::erase_if(node.record.load.active, is_probe);
  std::erase_if(news.work, [](auto& each) { return is_probe(each.execution_id); });
  auto in_hand = static_cast<std::uint32_t>(node.record.load.active.size());
  auto standing = standing_of(node.record);
  node.record.state =
    state_after_heartbeat(standing, news.draining || standing == node_state::draining, in_hand,
                          slots_of(node.record.facts));
  tell_of(node);
  if (auto scheduler = arguments.scheduler.get())
    self->send(scheduler, node_work{news.node_id, news.incarnation, std::move(news.work),
                                    news.work_is_complete});
}

void registry_state::note_down(const caf::down_msg& news) {
  for (auto& [id, node] : nodes)
    if (node.handle && node.handle.address() == news.source) {
      auto in_order = news.reason == caf::exit_reason::user_shutdown;
      lose(node, in_order ? "the node has ended" : "the connection to the node was lost", in_order);
    }
}

void registry_state::lose(member& node, const std::string& reason, bool in_order) {
  auto drained = in_order || node.record.state == node_state::draining;
  auto now = runtime::wall_ms(self->home_system());
  (drained ? left_count : lost_count).add();
  node.record.state = node_state::offline;
  node.record.load = {};
  self->demonitor(node.handle.address());
  node.handle = node_actor{};
  node.probe_id.clear();
  std::vector<event> events{event_of(topic_nodes, drained ? "node_left" : "node_lost", node,
                                     "{\"reason\":\"" + reason + "\"}")};
  // Who has slept itself can not say who was silent.
  auto has_slept = now - looked_at > arguments.limits.suspect_ms || now < lenient_until;
  if (!drained && !has_slept) {
    auto points = arguments.reputation.lost;
    node.record.reputation = reputation_after(node.record.reputation, points, arguments.reputation);
    events.push_back(event_of(topic_nodes, "reputation_changed", node,
                              score_detail(points, node.record.reputation, "", "lost")));
  }
  save(node, std::move(events));
  if (auto scheduler = arguments.scheduler.get())
    self->send(scheduler, node_lost{node.record.facts.id, node.record.incarnation, reason});
  if (auto router = arguments.router.get())
    self->send(router, node_lost{node.record.facts.id, node.record.incarnation, reason});
  runtime::log(runtime::log_level::warn, name, drained ? "saw node leave" : "lost node",
               {{"node_id", node.record.facts.id}, {"reason", reason}});
}

void registry_state::score(const score_nodes& news) {
  for (auto& one : news.scores) {
    auto found = nodes.find(one.node_id);
    if (found == nodes.end())
      continue;
    auto& node = found->second;
    node.record.reputation =
      reputation_after(node.record.reputation, one.points, arguments.reputation);
    auto change = event_of(topic_nodes, "reputation_changed", node,
                           score_detail(one.points, node.record.reputation, one.execution_id,
                                        one.points > 0 ? "agreed" : "disagreed"));
    change.job_id = news.job_id;
    change.execution_id = one.execution_id;
    save(node, {std::move(change)});
    tell_of(node);
  }
}

void registry_state::count(const execution_counted& news) {
  auto found = nodes.find(news.node_id);
  if (found == nodes.end())
    return;
  auto& node = found->second;
  // What a draining node gives back is nobody's failure.
  auto is_given_back =
    news.code == error_code::node_lost && node.record.state == node_state::draining;
  if (!had_begun(news.code) || is_given_back)
    return;
  ++node.record.total_jobs_run;
  ++(news.successful ? node.record.successful_jobs_run : node.record.failed_jobs);
  node.is_dirty = true;
  note_outcome_of(node, news);
}

void registry_state::look_at_clock() {
  auto now = runtime::wall_ms(self->home_system());
  auto gap = now - std::exchange(looked_at, now);
  if (gap > arguments.limits.suspect_ms) {
    lenient_until = now + arguments.limits.suspect_ms;
    runtime::log(runtime::log_level::warn, name, "was stopped for a while, and blames no node",
                 {{"pause_ms", gap}});
    for (auto& [id, node] : nodes)
      node.record.last_heartbeat += gap;
  }
  for (auto& [id, node] : nodes) {
    if (!node.handle)
      continue;
    auto next =
      state_after_silence(node.record.state, now - node.record.last_heartbeat, arguments.limits);
    if (next == node.record.state)
      continue;
    if (next == node_state::offline) {
      lose(node, "the node has been silent for too long");
      continue;
    }
    node.record.state = next;
    tell_of(node);
  }
  flush();
}

void registry_state::tell_of(const member& node) {
  // With the handle each time: they may have been started anew since the node has joined.
  if (auto scheduler = arguments.scheduler.get())
    self->send(scheduler, node_updated{node.record, node.handle});
  if (auto router = arguments.router.get())
    self->send(router, node_updated{node.record, node.handle});
}

void registry_state::save(member& node, std::vector<event> events) {
  node.is_dirty = true;
  std::move(events.begin(), events.end(), std::back_inserter(unwritten));
  if (unwritten.size() > unwritten_max) {
    runtime::log(runtime::log_level::error, name, "forgot events that could not be stored",
                 {{"count", std::to_string(unwritten.size() - unwritten_max)}});
    unwritten.erase(unwritten.begin(), unwritten.end() - unwritten_max);
  }
  flush();
}

void registry_state::flush() {
  auto store = arguments.store.get();
  if (is_committing || !store)
    return;
  commit_changes commit;
  std::vector<std::string> written;
  for (auto& [id, node] : nodes) {
    if (!std::exchange(node.is_dirty, false))
      continue;
    commit.changes.push_back(change_for_node(node.record));
    written.push_back(id);
  }
  if (written.empty() && unwritten.empty())
    return;
  commit.events = std::exchange(unwritten, {});
  is_committing = true;
  self->request(store, caf::infinite, commit)
    .then(
      [this](const commit_result&) {
        is_committing = false;
        is_refused = false;
        flush();
      },
      [this, written, events = commit.events](const caf::error& what) {
        is_committing = false;
        auto failure = runtime::to_failure(what);
        // Told once, not with every try; and a damaged store is not tried again.
        if (!std::exchange(is_refused, true))
          runtime::log(runtime::log_level::error, name, "could not store nodes; trying again",
                       {{"count", std::to_string(written.size())}, {"reason", failure.message}});
        if (failure.code == error_code::store_corrupt)
          return;
        // A score without its event could not be told from a wrong one: both are tried again.
        unwritten.insert(unwritten.begin(), events.begin(), events.end());
        for (auto& id : written)
          nodes.at(id).is_dirty = true;
      });
}

event registry_state::event_of(const char* topic, const char* kind, const member& node,
                               std::string detail) const {
  event result;
  result.topic = topic;
  result.kind = kind;
  result.node_id = node.record.facts.id;
  result.at = runtime::wall_ms(self->home_system());
  result.detail = std::move(detail);
  return result;
}

registry_actor::behavior_type registry(registry_state::self_pointer self,
                                       registry_arguments arguments) {
  auto& state = self->state;
  state.initialise(self, std::move(arguments));
  self->set_down_handler([&state](caf::down_msg& news) { state.note_down(news); });
  self->delayed_send(self, tick, caf::tick_atom_v);
  return {
    [&state](join_cluster& request) { return state.join(request); },
    [&state](node_heartbeat& news) { state.note_heartbeat(news); },
    [&state](list_nodes) { return state.all(); },
    [&state](const get_node& question) { return state.find(question.id); },
    [&state](const score_nodes& news) { state.score(news); },
    [&state](const execution_counted& news) { state.count(news); },
    [&state](const execution_finished& news) { state.note_probe_finished(news); },
    [&state](const manage_node& order) { return state.manage(order); },
    [&state](get_cluster_status) { return state.status(); },
    [self, &state](caf::tick_atom) {
      state.look_at_clock();
      state.watch_probes();
      self->delayed_send(self, tick, caf::tick_atom_v);
    },
  };
}

}  // namespace dim::actors
