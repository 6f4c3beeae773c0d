// REGISTRY's part about nodes that are kept from new work: quarantine, probes, drain by hand.
#include <algorithm>
#include <chrono>

#include "actors/cluster/canary.hpp"
#include "actors/cluster/quarantine.hpp"
#include "actors/cluster/registry.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr const char* by_hand_words = "on request";

/// Digests are how a node tells of its cache.
bool is_cached(const node_load& load, const model_entry& model) {
  for (auto& digest : load.cached_models)
    if (digest == model.digest)
      return true;
  return false;
}

}  // namespace

node_state registry_state::standing_of(const node_record& record) {
  if (record.drain_wanted)
    return node_state::draining;
  return record.quarantine.active ? node_state::quarantined : node_state::online;
}

void registry_state::note_outcome_of(member& node, const execution_counted& news) {
  auto& record = node.record.quarantine;
  if (!note_outcome(record, {news.code, news.model, news.version}, arguments.quarantine))
    return;
  quarantine(node, false,
             std::to_string(record.failures_in_a_row)
               + " executions in a row have failed, the last with "
               + std::string{to_string(news.code)});
}

void registry_state::quarantine(member& node, bool by_hand, const std::string& reason) {
  auto& record = node.record;
  auto now = runtime::wall_ms(self->home_system());
  begin_quarantine(record.quarantine, by_hand, reason, now);
  node.next_probe_at = now + probe_pause_ms(record.quarantine, arguments.quarantine);
  if (node.handle)
    record.state = standing_of(record);
  save(node, {event_of(topic_nodes, "node_quarantined", node, "{\"reason\":\"" + reason + "\"}")});
  tell_of(node);
  runtime::log(runtime::log_level::warn, name, "put node into quarantine",
               {{"node_id", record.facts.id}, {"reason", reason}});
}

void registry_state::release(member& node, const std::string& reason) {
  auto& record = node.record;
  end_quarantine(record.quarantine);
  node.probe_id.clear();
  if (node.handle)
    record.state = standing_of(record);
  save(node, {event_of(topic_nodes, "node_released", node, "{\"reason\":\"" + reason + "\"}")});
  tell_of(node);
  runtime::log(runtime::log_level::info, name, "released node from quarantine",
               {{"node_id", record.facts.id}, {"reason", reason}});
}

void registry_state::drain(member& node, bool wanted) {
  auto& record = node.record;
  record.drain_wanted = wanted;
  if (node.handle) {
    record.state = standing_of(record);
    self->send(node.handle, set_draining{wanted, arguments.drain_ms});
  }
  save(node, {event_of(topic_nodes, wanted ? "node_draining" : "node_undrained", node, {})});
  tell_of(node);
  runtime::log(runtime::log_level::info, name, wanted ? "drains node" : "gives node work again",
               {{"node_id", record.facts.id}});
}

caf::result<node_record> registry_state::manage(const manage_node& order) {
  auto found = look_up(order.id);
  if (!found)
    return runtime::to_error(found.error());
  auto& node = nodes.at((*found)->record.facts.id);
  auto& record = node.record;
  if (order.wish == node_wish::quarantine && !record.quarantine.by_hand)
    quarantine(node, true, by_hand_words);
  else if (order.wish == node_wish::release && record.quarantine.active)
    release(node, by_hand_words);
  else if (order.wish == node_wish::drain && !record.drain_wanted)
    drain(node, true);
  else if (order.wish == node_wish::undrain && record.drain_wanted)
    drain(node, false);
  return record;
}

void registry_state::watch_probes() {
  auto now = runtime::wall_ms(self->home_system());
  for (auto& [id, node] : nodes) {
    auto& record = node.record.quarantine;
    if (!record.active || record.by_hand || node.record.state != node_state::quarantined)
      continue;
    if (node.probe_id.empty()) {
      if (now >= node.next_probe_at)
        begin_probe(node);
    } else if (now >= node.probe_ends_at) {
      self->send(node.handle, cancel_execution{node.probe_id, 1});
      end_probe(node, {error_code::timeout, "the probe was not answered in time", {}});
    }
  }
}

void registry_state::begin_probe(member& node) {
  auto& record = node.record;
  auto models = arguments.models.get();
  if (!models)
    return;
  node.probe_id = std::string{probe_prefix} + std::to_string(arguments.generation) + "-"
                  + std::to_string(++probes_sent);
  auto patience = std::chrono::milliseconds{arguments.quarantine.quarantine_probe_timeout_ms};
  node.probe_ends_at = runtime::wall_ms(self->home_system()) + patience.count();
  auto node_id = record.facts.id;
  auto probe_id = node.probe_id;
  if (record.quarantine.model.empty())
    return choose_any_model(node_id, probe_id);
  self->request(models, patience,
                find_model{record.quarantine.model, record.quarantine.version})
    .then([this, node_id, probe_id](
            const model_entry& model) { send_probe(node_id, probe_id, model); },
          [this, node_id, probe_id](const caf::error&) { choose_any_model(node_id, probe_id); });
}

void registry_state::choose_any_model(const std::string& node_id, const std::string& probe_id) {
  auto give_up = [this, node_id, probe_id] {
    if (auto* node = prober_of(node_id, probe_id))
      end_probe(*node, {error_code::model_not_found, "there is no model to try the node with", {}});
  };
  auto models = arguments.models.get();
  if (!models)
    return give_up();
  auto patience = std::chrono::milliseconds{arguments.quarantine.quarantine_probe_timeout_ms};
  self->request(models, patience, list_models{})
    .then(
      [this, node_id, probe_id, give_up](const model_list& catalogue) {
        auto* node = prober_of(node_id, probe_id);
        if (node == nullptr || catalogue.models.empty())
          return give_up();
        auto* chosen = &catalogue.models.front();
        for (auto& model : catalogue.models)
          if (is_cached(node->record.load, model))
            chosen = &model;
        send_probe(node_id, probe_id, *chosen);
      },
      [give_up](const caf::error&) { give_up(); });
}

void registry_state::send_probe(const std::string& node_id, const std::string& probe_id,
                                const model_entry& model) {
  auto* node = prober_of(node_id, probe_id);
  if (node == nullptr)
    return;
  auto left = node->probe_ends_at - runtime::wall_ms(self->home_system());
  self->send(node->handle, canary_order(probe_id, model, static_cast<std::uint64_t>(
                                                           std::max<std::int64_t>(left, 0))));
}

registry_state::member* registry_state::prober_of(const std::string& node_id,
                                                  const std::string& probe_id) {
  auto found = nodes.find(node_id);
  auto is_current =
    found != nodes.end() && found->second.handle && found->second.probe_id == probe_id;
  return is_current ? &found->second : nullptr;
}

void registry_state::note_probe_finished(const execution_finished& news) {
  auto found = nodes.find(news.node_id);
  if (found == nodes.end() || !found->second.handle)
    return;
  auto& node = found->second;
  self->send(node.handle, acknowledge_execution{news.execution_id, news.epoch});
  if (node.probe_id != news.execution_id || node.record.incarnation != news.incarnation)
    return;
  auto outcome = news.error;
  if (auto damage = damage_of(news.outputs);
      outcome.code == error_code::none && !damage.empty())
    outcome = {error_code::corrupt, damage, {}};
  end_probe(node, outcome);
}

void registry_state::end_probe(member& node, const runtime::failure& outcome) {
  auto& record = node.record.quarantine;
  node.probe_id.clear();
  auto is_over = note_probe(record, verdict_of(outcome.code), arguments.quarantine);
  if (is_over)
    return release(node, std::to_string(record.probes_good) + " probes in a row were good");
  node.next_probe_at = runtime::wall_ms(self->home_system())
                       + probe_pause_ms(record, arguments.quarantine);
  save(node, {});
  if (outcome.code != error_code::none)
    runtime::log(runtime::log_level::info, name, "probed node in vain",
                 {{"node_id", node.record.facts.id},
                  {"code", to_string(outcome.code)},
                  {"reason", outcome.message}});
}

}  // namespace dim::actors
