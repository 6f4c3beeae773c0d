#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "actors/cluster/interface.hpp"
#include "actors/cluster/placement.hpp"
#include "actors/cluster/wait_queue.hpp"
#include "actors/engine/interface.hpp"
#include "config/options.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/service.hpp"

namespace dim::actors {

struct scheduler_arguments {
  config::orchestrator_options options;
  /// Is told how each execution ended.
  runtime::service<registry_actor> registry;
};

/// Keeps the executions that wait, places them on nodes, and follows each until it ends.
///
///   waiting --enough nodes have room--> in flight --finished, lost, out of time--> ended
///      |  ^                              ^  |  '--its ENGINE is gone--> orphaned --adopted--.
///      |  '--a node joins, changes,--.   |  |                              |                |
///      |     or has been avoided     |   |  '--withdrawn--> (forgotten,    '--in time by    |
///      |     long enough             |   |      cancelled at its node)        nobody--> withdrawn
///      '--no node fits--> parked ----'   |                                                  |
///                                        |<-------------------------------------------------'
///   adopted --its node is a member-------'
///      '--in adopt_wait_ms it is not--> ended (node_lost)
///
///   ended --its end is stored--> acknowledged at its node, forgotten
///
/// Every execution that an ENGINE asked for is answered with exactly one `execution_ended`, unless
/// the ENGINE withdrew it. A node holds at most `executions_per_slot` executions a slot.
///
/// An execution is its id and epoch; a node runs it once, however often it is sent. So whatever may
/// have been lost is sent again:
///   - an order, when two heartbeats of its node in a row do not name it (after `resends_max`
///     fruitless ones the execution ends as `node_lost`), or name it as finished and no result
///     comes;
///   - a cancellation or an acknowledgement, when two heartbeats in a row name what nobody asked
///     for. In the first `adopt_wait_ms` after the start it may still be asked for, and stays.
struct scheduler_state {
  static inline const char* name = "SCHEDULER";
  using self_pointer = runtime::actor_self<scheduler_actor, scheduler_state>;

  /// Executions that are placed together or not at all.
  struct waiting_group {
    std::vector<execution_request> group;
    engine_actor engine;
    /// When the wait is given up, and when the job's time ends; of `runtime::wall_ms`.
    std::int64_t give_up_at = 0;
    std::int64_t job_ends_at = 0;
    /// Until then nodes to avoid are no candidates; 0: they are from the start, or there are none.
    std::int64_t falls_back_at = 0;
    /// The last attempt's candidates, for `no_nodes`.
    std::vector<candidate_score> last_scores;
  };

  /// An execution that a node has in hand, or that waits for the node which has it.
  struct flight {
    /// Kept to be sent again.
    run_execution order;
    engine_actor engine;
    std::string node_id;
    /// 0 while it waits for its node, until `adopt_until`.
    std::uint64_t incarnation = 0;
    std::int64_t job_ends_at = 0;
    std::int64_t adopt_until = 0;
    /// Its ENGINE is gone, and it is withdrawn at this time; 0 while there is one.
    std::int64_t orphan_until = 0;
    /// Where the forward runs, once it does.
    std::string device;
    /// Heartbeats in a row that did not name it, or named it as finished.
    std::uint32_t unnamed = 0;
    std::uint32_t finished_unheard = 0;
    std::uint32_t resends = 0;
    /// Its answer is here and its large outputs are on their way.
    execution_finished answer;
    bool fetching = false;
  };
  using flight_map = std::map<std::string, flight>;

  void initialise(self_pointer pointer, scheduler_arguments values);

  void accept(place_executions& request);
  void withdraw(const std::string& execution_id);
  cabinet_nodes nodes_with(const find_cabinet& question) const;
  void note_started(const execution_started& news);
  void note_finished(execution_finished& news);
  void note_fetched(outputs_fetched& news);
  void note_work(const node_work& news);
  void note_stored(const executions_stored& news);
  void note_engine_gone(const engine_gone& news);
  void update_node(node_updated& news);
  void lose_node(const node_lost& news);
  pause_placement pause(pause_placement wish);
  schedule_status status() const;
  /// Gives up what has waited or flown too long.
  void look_at_clock();
  std::string describe() const;

private:
  void place_waiting();
  /// Whether the group left the queue, placed or parked.
  bool try_to_place(std::uint64_t key);
  void send_to_node(waiting_group& group, execution_request& request, const std::string& node_id,
                    std::vector<candidate_score> scores);
  void send_order(const flight& entry);
  void give_up(std::uint64_t key, runtime::failure why);
  void forget_waiting(std::uint64_t key);
  void unpark(std::uint64_t key);
  void unpark_all();
  void give_up_waiting(std::int64_t now);
  void fall_back(std::int64_t now);
  void end_late_flights(std::int64_t now);
  std::uint32_t room() const;
  /// Takes the flight out, and frees its place at the node.
  flight take_out(flight_map::iterator position);
  void cancel_at_node(const flight& entry);
  void drop_flight(const std::string& execution_id);
  void end_flight_as(const std::string& execution_id, runtime::error_code code, std::string why);
  /// Ends a flight towards its ENGINE and REGISTRY, and frees its place at the node.
  void end_flight(const std::string& execution_id, execution_ended ending);
  /// The answer is complete: checks its digests and ends the flight.
  void note_fetched_answer(flight& entry);
  void acknowledge(const std::string& node_id, const std::string& execution_id,
                   std::uint32_t epoch);
  std::int64_t now_ms() const;

  // scheduler_adoption.cpp
  /// Takes up an execution that an earlier engine has sent to its node.
  void adopt(execution_request& request, engine_actor engine, std::int64_t job_ends_at);
  /// Its node is a member: sends the order, which the node takes as what it has already.
  void take_off(flight& entry);
  bool is_member(const std::string& node_id) const;
  bool is_adoption_over() const;
  void look_after_adoptions(std::int64_t now);
  /// Compares the node's flights with what it has named.
  void resend_unnamed(const std::string& node_id,
                      const std::map<std::string, work_in_hand>& named);
  void hear_finished(flight& entry);

  self_pointer self = nullptr;
  scheduler_arguments arguments;
  bool paused = false;

  std::uint64_t last_key = 0;
  std::map<std::uint64_t, waiting_group> waiting;
  std::map<std::string, std::uint64_t> waiting_key_of;
  std::set<std::pair<std::int64_t, std::uint64_t>> give_up_times;
  std::set<std::pair<std::int64_t, std::uint64_t>> fall_back_times;
  std::set<std::uint64_t> parked;
  wait_queue queue{30'000};

  flight_map flights;
  /// The flights that have taken off, by node.
  std::map<std::string, std::set<std::string>> flights_at;
  /// Executions that have ended and are not stored yet, with the time when they are forgotten:
  /// their nodes keep the results, in case that the orchestrator does not live to store them.
  std::map<std::string, std::int64_t> unstored;
  /// What a node's last heartbeat named that nobody has asked for.
  std::map<std::string, std::set<std::pair<std::string, std::uint32_t>>> strangers_at;
  std::int64_t started_at = 0;
  candidate_map nodes;
  std::map<std::string, node_actor> handles;
};

/// What a node is sent for `request`, whose attached inputs are moved from; without its time.
run_execution order_of(execution_request& request);

/// SCHEDULER, started by the root supervisor. Ticks every 100 ms for deadlines.
scheduler_actor::behavior_type scheduler(scheduler_state::self_pointer self,
                                         scheduler_arguments arguments);

}  // namespace dim::actors
