#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/agent/batch_queue.hpp"
#include "actors/agent/interface.hpp"
#include "actors/agent/worker_host.hpp"
#include "actors/agent/worker_life.hpp"
#include "config/options.hpp"
#include "models/model_spec.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/answer_group.hpp"
#include "runtime/call_table.hpp"
#include "runtime/random_source.hpp"

namespace dim::actors {

/// DEVICE as an AGENT sees it.
using agent_owner_actor =
  caf::typed_actor<caf::reacts_to<agent_idle>, caf::reacts_to<agent_loaded>>;

struct agent_arguments {
  /// What DEVICE knows it by.
  std::string model_key;
  std::string version;
  /// The file in the cache.
  std::string path;
  models::model_spec spec;
  /// INFERENCE workers, which the device's share of the model's `instances` says.
  std::uint32_t workers = 1;
  /// "cpu:0-1", "cuda:0".
  std::string device;
  /// Intra-op threads of all workers together; each has at least one.
  std::uint32_t threads = 1;
  std::vector<std::uint32_t> cores;
  config::agent_options options;
  config::supervision_options supervision;
  worker_host_factory make_host;
  agent_owner_actor owner;
};

/// Serves one model version on one device: gathers requests into batches in one queue, gives them
/// to its INFERENCE workers, and starts and ends these. A batch goes to the worker with the fewest
/// batches in flight.
///
/// Each worker has a life of its own (`worker_life`), and begins it when work waits:
///
///   absent --request--> starting --agent_ready--> loading --loaded--> ready
///      ^                   |                        |                   |
///      |                   +----- deadline, death --+---- death, kill --+
///      |                                  |
///      +--back-off is over, work waits-- resting
///
/// Every accepted request gets exactly one reply. When a worker dies, each request of its batches
/// is run again alone; one that was alone already, with nothing else at the worker, is answered
/// with the cause and `killed_agent`. When every worker has died too often in a time the waiting
/// requests are answered `agent_lost`, and so are new ones until a window has passed. A model that
/// can not be loaded ends the agent: all are answered with the reason. So does a host that can not
/// end its worker.
struct agent_state {
  static inline const char* name = "AGENT";
  static constexpr bool runs_on_lanes = true;
  using self_pointer = runtime::actor_self<agent_control_actor, agent_state>;

  explicit agent_state(self_pointer pointer);
  /// Whoever still waits is told.
  ~agent_state();

  void initialise(agent_arguments values);

  /// Queues the request, or refuses it at once.
  caf::typed_response_promise<infer_result> accept(infer& request);
  caf::result<infer_results> accept(infer_group& group);
  /// Requests that came together go into one batch, and answers that are there together into one
  /// message.
  void after_others() {
    advance();
  }
  /// What waits is answered `cancelled`; what runs is answered so when it is over.
  void withdraw(const std::string& request_id);
  void note_ready(agent_ready& news);
  void note_ended(const worker_ended& news);
  /// Loads the model without a request.
  caf::typed_response_promise<agents_set> warm(const warm_agent& wish);
  /// No request follows: quits when everything is answered.
  void stop();
  void look_at_clock(std::uint64_t number);
  agent_load measure() const;
  std::string describe() const;

private:
  using group_pointer = runtime::ready_answers<infer_results>::group_pointer;

  struct request {
    infer content;
    caf::typed_response_promise<infer_result> promise;
    /// In place of the promise, for a request that came with others, under this number there.
    group_pointer group;
    std::uint64_t number = 0;
    caf::strong_actor_ptr asker;
    std::int64_t deadline_ms = 0;
    /// It was in a batch when the worker died: it runs alone now.
    bool repeated = false;
    /// Nobody wants the answer any more, and what is answered instead.
    runtime::failure unwanted;
    std::int64_t unwanted_since_ms = 0;
    std::int64_t arrived_us = 0;
    /// From its arrival to its batch.
    std::uint64_t queue_ns = 0;
  };
  /// Waits until the model is loaded.
  struct warm_wish {
    caf::typed_response_promise<agents_set> promise;
    std::int64_t deadline_ms = 0;
  };
  struct flight {
    std::uint64_t batch_id = 0;
    std::vector<std::uint64_t> keys;
    /// When the worker was free for it.
    std::int64_t running_since_ms = 0;
    /// Nothing else is given to the worker meanwhile.
    bool alone = false;
    std::int64_t rows = 0;
    /// Rows of each request, when they were joined here; the answer is split by them.
    std::vector<std::int64_t> joined_rows;
    release_reason released = release_reason::none;
  };
  struct worker {
    worker_life life;
    worker_host_actor host;
    /// Null unless it is up.
    inference_actor inference;
    /// In the order in which it got them; it runs the first.
    std::deque<flight> flights;
    std::int64_t started_us = 0;
  };

  std::int64_t now_us() const;
  std::int64_t now_ms() const;
  /// "digits-mlp:3".
  std::string label() const {
    return arguments.spec.name + ":" + arguments.version;
  }
  queued_request item_of(std::uint64_t key, const request& from) const;
  runtime::failure refusal_of(const infer& content) const;
  /// Queues the request in `entry`, which knows who asked, or refuses it at once.
  void take(request entry);
  /// Tells who asked.
  void tell(request& entry, infer_result result);
  void answer(std::uint64_t key, infer_result result);
  void answer_failure(std::uint64_t key, runtime::failure error, std::string logs = {},
                      bool killed_agent = false);
  void answer_all(const runtime::failure& error, const std::string& logs = {});

  /// Tells who waits for a loaded model: `error` is `none` when it is.
  void answer_warm(const runtime::failure& error);
  /// Whether the workers that can serve now are all that there will be for a while.
  bool is_warm() const;
  /// Some worker has the model.
  bool serves() const;
  bool refuses() const;

  // agent_batches.cpp: what goes to the worker and comes back
  void advance();
  queue_room room_at(const worker& one) const;
  /// Whether a batch at a busy worker soon runs, or no rule says who waits how.
  bool may_wait_at_worker() const;
  /// The worker that has the most room; null when none can take more.
  worker* freest();
  void send_batch(worker& one, const formed_batch& batch);
  void tell_started(const flight& begun);
  void finish_batch(worker& one, std::uint64_t batch_id, runtime::expected<batch_result> reply);
  void join(const worker& one, flight& begun, run_batch& content) const;
  static void split(const flight& ended, runtime::expected<batch_result>& reply);
  void answer_batch(const flight& ended, batch_result& reply);
  void finish_failed_batch(const flight& ended, const runtime::failure& error);
  void repeat_alone(const std::vector<std::uint64_t>& keys);
  void expire_requests(std::int64_t now);
  void expire_flights(worker& one, std::int64_t now);
  void expire_warm_wishes(std::int64_t now);

  // agent_worker.cpp: the workers' lives
  void start(worker& one);
  void load(worker& one);
  void take_loaded(worker& one, const runtime::expected<model_loaded>& reply);
  /// The model is given up: this worker has never loaded it, or no other serves it meanwhile.
  bool is_final(const worker& one, runtime::error_code reason) const;
  void kill(worker& one, runtime::failure cause);
  /// Quits when no worker is left.
  void end_workers();
  void settle_flights(worker& one, const worker_ended& news, const std::string& logs);
  void rest(worker& one, const std::string& logs);
  void give_up(const runtime::failure& reason);
  void expire_phase(worker& one, std::int64_t now);
  void tell_idle(std::int64_t now);
  void arm();
  std::optional<std::int64_t> next_look_us() const;

  self_pointer self;
  agent_arguments arguments;
  runtime::call_table calls;
  std::optional<batch_queue> queue;
  std::map<std::uint64_t, request> requests;
  std::vector<warm_wish> warm_wishes;
  /// Made by `initialise`: their places do not change.
  std::vector<worker> workers;
  runtime::random_source random;
  std::int64_t idle_since_ms = 0;
  bool told_idle = false;
  bool stopping = false;
  runtime::failure final_failure;
  runtime::ready_answers<infer_results> ready;
  /// Of the last batch.
  std::optional<std::uint64_t> forward_us;
  std::uint64_t last_key = 0;
  std::uint64_t last_batch = 0;
  /// The newest timer, and when it fires; 0 when none runs.
  std::uint64_t look_number = 0;
  std::int64_t look_at_us = 0;
  std::uint64_t batches_done = 0;
  std::uint64_t requests_done = 0;
};

agent_control_actor::behavior_type agent(agent_state::self_pointer self,
                                         agent_arguments arguments);

}  // namespace dim::actors
