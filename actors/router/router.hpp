#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/cluster/interface.hpp"
#include "actors/router/answer_cache.hpp"
#include "actors/router/ensemble_run.hpp"
#include "actors/router/interface.hpp"
#include "actors/router/popularity.hpp"
#include "actors/router/record_ring.hpp"
#include "actors/router/route_table.hpp"
#include "actors/router/served_table.hpp"
#include "actors/store/interface.hpp"
#include "config/options.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/answer_group.hpp"
#include "runtime/call_table.hpp"
#include "runtime/deadline_alarm.hpp"
#include "runtime/service.hpp"
#include "runtime/work_ticket.hpp"

namespace dim::actors {

struct router_arguments {
  config::router_options options;
  runtime::service<models_actor> models;
  /// Memory for the answers of models with `response_cache`, in bytes.
  std::uint64_t cache_bytes = 0;
  /// Where the popularity of models is kept over a restart. Empty: nowhere.
  runtime::service<store_actor> store = {};
  runtime::service<queries_actor> queries = {};
};

/// What ROUTER gets beside what others send.
using router_with_timers = router_actor::extend<
  // INTERNAL: count what has been asked for, and keep it.
  caf::reacts_to<popularity_due>,
  // INTERNAL: look for idle nodes that could start a popular model.
  caf::reacts_to<prewarm_due>>;

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
/// The steps of an ensemble are requests of their own, which ROUTER sends itself.
///
/// A version that is asked for is started, in the background, on all nodes that may serve it
/// (`nodes_per_model_max`), so that the loss of one costs no start of an agent.
///
/// The most popular versions are started before they are asked for, on nodes that join or become
/// idle, and where their agents have gone: one at a time, with nothing but what is spare there
/// (router_prewarm.cpp).
struct router_state {
  static inline const char* name = "ROUTER";
  static constexpr bool runs_on_lanes = true;
  using self_pointer = runtime::actor_self<router_with_timers, router_state>;

  router_state(self_pointer pointer);
  /// Whoever still waits is told, and what is not written yet is.
  ~router_state();

  void initialise(router_arguments values);

  // router.cpp
  caf::typed_response_promise<inference_done> accept(run_inference& request);
  caf::result<inferences_done> accept(run_inferences& group);
  /// Requests that came together travel together, and so do answers.
  void after_others();
  void withdraw(const std::string& request_id);
  void update_node(const node_updated& news);
  void lose_node(const node_lost& news);
  void look_at_clock(std::int64_t alarm_ns);
  std::string describe() const;

  // router_flights.cpp
  void take_results(infer_results& news);

  // router_prewarm.cpp
  void count_popularity();
  void look_for_idle();

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

  /// Who wants to know: of this inference alone, or, under a number, of this with others.
  struct inference_asker {
    done_promise alone;
    runtime::ready_answers<inferences_done>::group_pointer group;
    std::uint64_t number = 0;
  };

  /// Requests of one version that are on their way to one node together.
  struct sent_parcel {
    caf::message_id reply;
    /// Those that have not ended here.
    std::size_t left = 0;
    /// The reply has come, or an error in its place.
    bool has_ended = false;
    std::vector<std::uint64_t> numbers = {};
  };

  /// A request, under a number that is new for each attempt.
  struct flight {
    run_inference request;
    inference_asker asker;
    route_pointer route;
    std::int64_t started_ns = 0;
    std::int64_t deadline_ns = 0;
    std::size_t place = 0;
    std::uint32_t attempts = 0;
    /// Null until it is sent.
    std::shared_ptr<sent_parcel> sent;
    /// Under which the answer is kept; empty: it is not.
    std::string cache_key;
  };

  /// What is to be sent to one node.
  struct parcel {
    route_pointer route;
    std::size_t place = 0;
    std::size_t bytes = 0;
    std::vector<std::uint64_t> numbers;
  };
  using flight_map = std::unordered_map<std::uint64_t, flight>;

  /// An inference of an ensemble.
  struct ensemble_flight {
    ensemble_run run;
    run_inference request;
    inference_asker asker;
    route_pointer route;
    std::int64_t started_ns = 0;
    std::int64_t deadline_ns = 0;
    std::string cache_key;
    inference_times times;
    /// The ids of the steps that run.
    std::set<std::string> running;
  };
  /// How late a deadline may be noticed; how often routes are looked at whose last requests end.
  static constexpr std::int64_t grain_ns = 20'000'000;
  static constexpr std::uint64_t ensemble_ms_max = 1'000ull * 3'600 * 24 * 365;

  struct waiting_request {
    run_inference request;
    inference_asker asker;
    std::int64_t arrived_ns = 0;
  };
  struct retiring_route {
    route_pointer route;
    caf::typed_response_promise<model_retired> promise;
    std::int64_t deadline_ns = 0;
  };

  /// Nanoseconds since then; none when the clock has not moved.
  std::uint64_t passed_since(std::int64_t began_ns) const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, now_ns() - began_ns));
  }
  std::int64_t now_ns() const {
    return runtime::clock_ns(self->home_system());
  }

  // router.cpp
  void begin(run_inference& request, inference_asker asker, std::int64_t arrived_ns);
  void refuse(inference_asker& asker, const run_inference& request, const route_pointer& route,
              std::int64_t arrived_ns, runtime::failure error);
  void answer(inference_asker& asker, inference_done done);
  void keep_record(inference_record record);
  void write_records_out();
  void set_alarm(std::int64_t due_ns);

  // router_flights.cpp
  /// Puts it into a parcel for the node at its place; `send_parcels` is to follow.
  void send(std::uint64_t number, flight& what);
  void send_parcels();
  void send_parcel(parcel& what);
  /// The reply to a parcel, behind which nothing of it follows.
  void take_reply(infer_results& reply, sent_parcel& sent);
  /// Ends those that are left of a parcel.
  void fail_parcel(sent_parcel& sent, const runtime::failure& why);
  void take_result(std::uint64_t number, infer_result& result);
  /// Whether the request is on its way to another node, under another number.
  bool try_again(flight_map::iterator position, const infer_result& result);
  /// Answers it and forgets it.
  void finish(flight_map::iterator position, infer_result result);
  /// Ends it here; what its node still does is withdrawn.
  void abandon(flight_map::iterator position, runtime::error_code code, const char* words);
  void leave_parcel(flight& what);
  void record(flight& what, const infer_result& result, std::int64_t now);

  // router_local.cpp
  /// Answers from what is kept; if it is not, `key` is that under which it will be, or empty.
  bool answer_from_cache(const run_inference& request, inference_asker& asker,
                         const route_pointer& route, std::int64_t arrived_ns, std::string& key);
  void keep_answer(const route_pointer& route, const std::string& key,
                   const models::tensor_list& outputs);
  void begin_ensemble(run_inference& request, inference_asker asker, const route_pointer& route,
                      std::int64_t arrived_ns, std::string cache_key);
  void run_steps(std::uint64_t number);
  void take_step(std::uint64_t number, const std::string& id, std::size_t step,
                 inference_done& reply);
  void end_ensemble(std::uint64_t number, runtime::failure error);

  // router_models.cpp
  /// Asks MODELS what is served; it tells changes by itself.
  void ask_for_models();
  void answer_unknown();
  /// Keeps a request until MODELS has said what is served, and asks it.
  void wait_for_models(run_inference& request, inference_asker asker, std::int64_t arrived_ns);
  /// Starts agents of the version on nodes that have none.
  void spread(const route_pointer& route);
  using agents_reply = std::function<void(const runtime::expected<agents_set>&)>;
  void set_agents_at(const route_pointer& route, std::size_t place, bool wanted,
                     std::uint64_t time_left_ms, agents_reply done, bool only_spare = false);
  void watch_retiring();
  void stop_agents(retiring_route retired);

  // router_prewarm.cpp
  void start_counting();
  void keep_popularity();
  /// Takes from a heartbeat where agents have gone.
  void note_agents(std::size_t place, const node_load& load);
  /// Nodes may be asked again to start what has been asked for since they were.
  void look_again();
  /// Begins anew with a node that has joined, or is back.
  void welcome(std::size_t place);
  /// Starts the next popular version on the next node that has none of it, if there is one.
  void prewarm();
  /// The most popular versions among those that are served.
  std::vector<route_pointer> popular_routes() const;
  /// A node that could start the version; waits for those that are busy.
  std::optional<std::size_t> idle_node_for(const route_pointer& route);
  void start_early(const route_pointer& route, std::size_t place);
  void await_idle();

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
  std::vector<parcel> parcels;
  runtime::ready_answers<inferences_done> ready;
  std::map<std::uint64_t, ensemble_flight> ensembles;
  std::unordered_map<std::string, std::uint64_t> numbers;  // by request id
  answer_cache answers;
  std::uint64_t last_number = 0;
  std::deque<waiting_request> unknown;
  std::vector<retiring_route> retiring;
  bool asking_models = false;
  /// Whether MODELS has said what is served since this ROUTER was started.
  bool knows_models = false;
  record_writer_actor writer;
  /// What WRITER has in hand.
  runtime::work_count writing;
  /// When what is not written yet goes to WRITER, be it much or little.
  std::int64_t write_at_ns = 0;
  runtime::deadline_alarm alarm{grain_ns};
  actors::popularity popularity;
  /// As it was stored last.
  popular_models kept;
  /// What an earlier ROUTER has stored is known, or there is nothing of the kind.
  bool knows_popularity = false;
  bool is_keeping = false;
  /// A node is starting a popular version: nothing else is begun meanwhile.
  bool is_prewarming = false;
  bool awaits_idle = false;
  /// Popular versions that nodes were asked to start since they joined, by place and file, and how
  /// many requests each had answered by then.
  std::map<std::pair<std::size_t, std::string>, std::uint64_t> tried;
  /// Those of them that found their node busy, until the next look.
  std::vector<std::pair<std::size_t, std::string>> found_busy;
  std::uint64_t prewarmed = 0;
  std::string last_prewarmed;
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  std::uint64_t retried = 0;
};

/// The first wanted output that a model without optional inputs has not given; empty when none is
/// lacking.
std::string lacking_output(const models::model_spec& spec, const models::tensor_list& outputs,
                           const std::vector<std::string>& wanted);

/// The wanted outputs, in the wanted order; all when none is named.
models::tensor_list choose_outputs(models::tensor_list outputs,
                                   const std::vector<std::string>& wanted);

router_with_timers::behavior_type router(router_state::self_pointer self,
                                         router_arguments arguments);

}  // namespace dim::actors
