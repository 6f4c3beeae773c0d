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
///   waiting --enough nodes have room--> in flight --finished, lost, out of time--> (ended)
///      |  ^                                 |
///      |  '--a node joins or changes--.     '--withdrawn--> (forgotten, cancelled at its node)
///      '--no node fits--> parked -----'
///
/// Every execution that an ENGINE asked for is answered with exactly one `execution_ended`, unless
/// the ENGINE withdrew it. A node holds at most `executions_per_slot` executions a slot.
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
    /// The last attempt's candidates, for `no_nodes`.
    std::vector<candidate_score> last_scores;
  };

  /// An execution that a node has in hand.
  struct flight {
    std::string job_id;
    std::uint32_t epoch = 0;
    engine_actor engine;
    std::string node_id;
    std::uint64_t incarnation = 0;
    std::int64_t job_ends_at = 0;
    /// Its answer is here and its large outputs are on their way.
    execution_finished answer;
    bool fetching = false;
  };

  void initialise(self_pointer pointer, scheduler_arguments values);

  void accept(place_executions& request);
  void withdraw(const std::string& execution_id);
  cabinet_nodes nodes_with(const find_cabinet& question) const;
  void note_started(const execution_started& news);
  void note_finished(execution_finished& news);
  void note_fetched(outputs_fetched& news);
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
  void give_up(std::uint64_t key, runtime::failure why);
  void forget_waiting(std::uint64_t key);
  void unpark_all();
  std::uint32_t room() const;
  /// Ends a flight towards its ENGINE and REGISTRY, and frees its place at the node.
  void end_flight(const std::string& execution_id, execution_ended ending);
  /// The answer is complete: checks its digests and ends the flight.
  void note_fetched_answer(flight& entry);
  void acknowledge(const std::string& node_id, const std::string& execution_id,
                   std::uint32_t epoch);
  std::int64_t now_ms() const;

  self_pointer self = nullptr;
  scheduler_arguments arguments;
  bool paused = false;

  std::uint64_t last_key = 0;
  std::map<std::uint64_t, waiting_group> waiting;
  std::map<std::string, std::uint64_t> waiting_key_of;
  std::set<std::pair<std::int64_t, std::uint64_t>> give_up_times;
  std::set<std::uint64_t> parked;
  wait_queue queue{30'000};

  std::map<std::string, flight> flights;
  candidate_map nodes;
  std::map<std::string, node_actor> handles;
};

/// SCHEDULER, started by the root supervisor. Ticks every 100 ms for deadlines.
scheduler_actor::behavior_type scheduler(scheduler_state::self_pointer self,
                                         scheduler_arguments arguments);

}  // namespace dim::actors
