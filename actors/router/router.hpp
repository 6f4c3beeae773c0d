#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/cluster/interface.hpp"
#include "actors/router/interface.hpp"
#include "actors/router/record_ring.hpp"
#include "actors/router/route_table.hpp"
#include "actors/router/served_table.hpp"
#include "actors/store/interface.hpp"
#include "config/options.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/call_table.hpp"
#include "runtime/service.hpp"

namespace dim::actors {

struct router_arguments {
  config::router_options options;
  runtime::service<models_actor> models;
};

/// ROUTER runs direct inferences.
///
///   run_inference --name, inputs are good--> at a node --infer_result--> answered
///                                             |    ^
///                        agent or node lost --+----+  once, at another node
///
/// Every request is answered exactly once: with its outputs, or with one error. Nothing of it is
/// kept but its record. A request whose time is over, or whose caller is gone, is answered at once
/// and withdrawn from its node; what the node still says of it finds nobody.
///
/// A version that is asked for is started, in the background, on all nodes that may serve it
/// (`nodes_per_model_max`), so that the loss of one costs no start of an agent.
struct router_state {
  static inline const char* name = "ROUTER";
  using self_pointer = runtime::actor_self<router_actor, router_state>;

  router_state(self_pointer pointer);
  /// Whoever still waits is told.
  ~router_state();

  void initialise(router_arguments values);

  // router.cpp
  caf::typed_response_promise<inference_done> accept(run_inference& request);
  void withdraw(const std::string& request_id);
  void update_node(const node_updated& news);
  void lose_node(const node_lost& news);
  void look_at_clock();
  std::string describe() const;

  // router_models.cpp
  void take_served(const served_models& news);
  caf::typed_response_promise<model_prepared> prepare(const prepare_model& wish);
  caf::typed_response_promise<model_retired> retire(const retire_model& wish);
  caf::result<model_statistics_list> statistics(const get_model_statistics& wish) const;
  inference_record_list records_of(const get_inference_records& wish) const {
    return records.newest(wish);
  }

private:
  using done_promise = caf::typed_response_promise<inference_done>;

  struct flight {
    run_inference request;
    done_promise promise;
    route_pointer route;
    std::int64_t started_ns = 0;
    std::int64_t deadline_ns = 0;
    std::size_t place = 0;
    std::uint32_t attempts = 0;
    caf::message_id reply;
  };
  using flight_map = std::unordered_map<std::uint64_t, flight>;

  struct waiting_request {
    run_inference request;
    done_promise promise;
    std::int64_t arrived_ns = 0;
  };
  struct retiring_route {
    route_pointer route;
    caf::typed_response_promise<model_retired> promise;
    std::int64_t deadline_ns = 0;
  };

  std::int64_t now_ns() const {
    return runtime::clock_ns(self->home_system());
  }

  // router.cpp
  void begin(run_inference& request, done_promise promise, std::int64_t arrived_ns);
  void refuse(done_promise& promise, const run_inference& request, const route_pointer& route,
              std::int64_t arrived_ns, runtime::failure error);
  void arm();

  // router_flights.cpp
  /// Sends it to the node at its place.
  void send(std::uint64_t number, flight& what);
  void take_result(std::uint64_t number, std::uint32_t attempt, infer_result& result);
  /// Whether the request is on its way to another node.
  bool try_again(std::uint64_t number, flight& what, const infer_result& result);
  /// Answers it and forgets it.
  void finish(flight_map::iterator position, infer_result result);
  /// Ends it here; what its node still does is withdrawn.
  void abandon(flight_map::iterator position, runtime::error_code code, const char* words);
  void record(const flight& what, const infer_result& result, std::int64_t now);

  // router_models.cpp
  /// Asks MODELS for its catalogue, unless it was asked a moment ago.
  void ask_for_models();
  void answer_unknown();
  /// Starts agents of the version on nodes that have none.
  void spread(const route_pointer& route);
  using agents_reply = std::function<void(const runtime::expected<agents_set>&)>;
  void set_agents_at(const route_pointer& route, std::size_t place, bool wanted,
                     std::uint64_t time_left_ms, agents_reply done);
  void watch_retiring();
  void stop_agents(retiring_route retired);

  self_pointer self;
  router_arguments arguments;
  runtime::call_table calls;
  route_table table;
  served_table served;
  record_ring records;
  /// By their places in the table; empty while a node is away.
  std::vector<node_actor> handles;
  std::vector<std::uint64_t> incarnations;
  /// Counts changes of which nodes may be used.
  std::uint64_t node_changes = 1;
  flight_map flights;
  std::unordered_map<std::string, std::uint64_t> numbers;  // by request id
  std::uint64_t last_number = 0;
  std::deque<waiting_request> unknown;
  std::vector<retiring_route> retiring;
  bool asking_models = false;
  std::int64_t asked_models_ns = 0;
  record_writer_actor writer;
  bool tick_runs = false;
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  std::uint64_t retried = 0;
};

router_actor::behavior_type router(router_state::self_pointer self, router_arguments arguments);

}  // namespace dim::actors
