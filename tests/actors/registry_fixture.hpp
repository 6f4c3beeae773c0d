#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/cluster/registry.hpp"
#include "tests/support/actor_fixture.hpp"

namespace dim::tests {

/// REGISTRY between fakes, each of which keeps what it is told.
struct registry_fixture : actor_fixture {
  std::shared_ptr<inbox> scheduler_box = std::make_shared<inbox>();
  std::shared_ptr<inbox> node_box = std::make_shared<inbox>();
  std::vector<actors::commit_changes> commits;
  actors::stored_nodes stored;
  /// What STORE answers instead of writing.
  runtime::failure store_refusal;
  /// The catalogue that probes take their models from.
  actors::model_list catalogue;
  actors::registry_arguments arguments;
  actors::registry_actor registry;
  /// A join under way, and whether it was answered when SCHEDULER heard of the node.
  pending_reply<actors::join_accepted> joining;
  bool was_answered_first = false;

  /// Keeps what it is told, and never answers what it is asked.
  caf::actor make_scheduler() {
    return sys().spawn([this, box = scheduler_box](caf::event_based_actor* self) -> caf::behavior {
      return {[this, box](const actors::node_updated& x) {
                was_answered_first = joining && joining->has_value();
                box->put(caf::make_message(x));
              },
              [box](const actors::node_lost& x) { box->put(caf::make_message(x)); },
              [box](const actors::node_work& x) { box->put(caf::make_message(x)); },
              [self](actors::get_schedule) { return self->make_response_promise(); }};
    });
  }

  void start() {
    auto scheduler = make_scheduler();
    arguments.cluster = "test";
    arguments.generation = 7;
    arguments.scheduler.set(caf::actor_cast<actors::scheduler_actor>(scheduler));
    arguments.store.set(fake<actors::store_actor>(
      [this](const actors::commit_changes& x) -> caf::result<actors::commit_result> {
        if (store_refusal.code != runtime::error_code::none)
          return runtime::to_error(store_refusal);
        commits.push_back(x);
        return actors::commit_result{true, {}, 0};
      }));
    auto queries = sys().spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {[this](actors::load_nodes) { return stored; },
              [](actors::get_totals) {
                return actors::store_totals{{1, 2, 3, 4, 5, 6}, 9, 10, false};
              }};
    });
    arguments.queries.set(caf::actor_cast<actors::queries_actor>(queries));
    auto models = sys().spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {[this](const actors::find_model& wish) -> caf::result<actors::model_entry> {
                for (auto& each : catalogue.models)
                  if (each.name == wish.name)
                    return each;
                return runtime::to_error(runtime::error_code::model_not_found, "no such model");
              },
              [this](actors::list_models) { return catalogue; }};
    });
    arguments.models.set(caf::actor_cast<actors::models_actor>(models));
    registry = sys().spawn(actors::registry, arguments);
    run();
  }

  caf::actor new_node() {
    return probe(node_box);
  }

  actors::join_cluster join_of(const caf::actor& handle, std::uint64_t incarnation = 1) {
    actors::join_cluster result;
    result.cluster = "test";
    result.incarnation = incarnation;
    result.facts.id = "node-0001";
    result.facts.name = "clinic";
    result.facts.cpu_cores = 2;
    result.facts.devices = {{"cpu:0", "cpu", "", 1, 0, 1}};
    result.handle = caf::actor_cast<actors::node_actor>(handle);
    return result;
  }

  actors::node_record node() {
    return ask<actors::node_record>(registry, actors::get_node{"clinic"}).value();
  }

  std::size_t events_of(const std::string& kind) const {
    std::size_t result = 0;
    for (auto& commit : commits)
      for (auto& one : commit.events)
        result += one.kind == kind;
    return result;
  }
};

}  // namespace dim::tests
