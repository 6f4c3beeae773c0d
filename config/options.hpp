#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// START HERE for any setting. Every option of the daemon exists once, as a member below: a struct
/// for each section of `dimd.toml`, the default as its initializer, the unit in the name (`_ms`,
/// `_hours`, `_bytes`; `_max` is an inclusive limit). `descriptor_table.cpp` gives each its meaning
/// and bounds; `load.hpp` reads file, environment and flags into these structs.
///
/// A program takes `config::options` (or one section) and passes on only the values that an actor
/// needs. Nothing below reads a file or the environment.
namespace dim::config {

/// `[cluster]`: what all processes of a cluster share, and how they reach each other.
struct cluster_options {
  /// Nodes with another name are refused.
  std::string name = "dim";
  /// Any of "orchestrator", "gateway", "node".
  std::vector<std::string> roles = {"orchestrator", "gateway", "node"};
  /// Everything this process keeps on disk.
  std::string data_dir = "./dim-data";
  /// "host:port" that nodes and gateways dial, tried in order, over and over. Not used for what
  /// runs in the orchestrator's own process.
  std::vector<std::string> orchestrators = {"127.0.0.1:7411"};
  /// Interface that the orchestrator listens on.
  std::string bind = "127.0.0.1";
  /// 0: any free port, which is then found in `port_file`.
  std::uint16_t port = 7411;
  /// A JSON object with the ports in use is written here once all listen, and removed at the end.
  /// Empty: `<data_dir>/ports.json`; `resolve` fills it in.
  std::string port_file;
  std::uint32_t heartbeat_ms = 1'000;
  /// Silence after which a node gets no new work.
  std::uint32_t suspect_ms = 3'000;
  /// Silence after which a node, or the orchestrator, counts as gone; CAF's connection timeout.
  std::uint32_t lost_ms = 10'000;
  /// One attempt to connect to an orchestrator.
  std::uint32_t dial_timeout_ms = 5'000;
  /// First pause between two attempts to join; it doubles up to `rejoin_backoff_max_ms`.
  std::uint32_t rejoin_backoff_ms = 100;
  std::uint32_t rejoin_backoff_max_ms = 5'000;
  /// A question to another process that starts no inference: join, list, chunk.
  std::uint32_t request_timeout_ms = 10'000;
  /// Chunks of 1 MiB that one transfer may have on the way.
  std::uint32_t chunk_window = 8;
  /// How long a stopping process lets running work end.
  std::uint32_t drain_ms = 30'000;
  /// Threads of the actor scheduler; 0: one a core.
  std::uint32_t worker_threads = 0;
  /// How long a thread of the direct path looks for work before it sleeps; 0: it sleeps at once.
  std::uint32_t spin_us = 150;
};

/// `[tls]`: the links between the machines of a cluster. Three files in PEM, or none; without them
/// the orchestrator listens on loopback only. `dim ca` makes them.
struct tls_options {
  /// This process's certificate, signed by the cluster's authority.
  std::string certificate;
  /// Its key, without a passphrase and not for everybody to read.
  std::string key;
  /// The certificate of the cluster's authority: whoever has one that it signed is a peer.
  std::string ca;
  /// From an accepted connection to the end of its handshake.
  std::uint32_t handshake_timeout_ms = 5'000;
  /// Accepted connections whose handshake has not ended; one more, and the oldest is closed.
  std::uint32_t handshakes_max = 256;
};

/// `[gateway]`: HTTP.
struct gateway_options {
  std::string bind = "127.0.0.1";
  /// 0: any free port, which is then found in `cluster.port_file`.
  std::uint16_t port = 8080;
  /// 0: one for every two cores.
  std::uint32_t threads = 0;
  /// In a process that is a node too, HTTP keeps to the upper half of the cores.
  bool bind_threads = true;
  /// One request's body, but for uploads of models.
  std::uint64_t body_bytes_max = 64ull << 20;
  /// Request line and header fields together. A model's configuration travels in a field.
  std::uint32_t header_bytes_max = 64 << 10;
  std::uint32_t connections_max = 16'384;
  /// Uploads of models at the same time.
  std::uint32_t uploads_max = 8;
  /// A connection on which nothing has come or gone for this long is closed.
  std::uint32_t idle_timeout_ms = 60'000;
  /// From a complete request to its answer, beside what the request itself asks to wait.
  std::uint32_t request_timeout_ms = 30'000;
  /// The largest `?wait_ms=`.
  std::uint32_t wait_ms_max = 60'000;
  std::uint32_t json_depth_max = 64;
  /// Problems listed in one answer; more are counted.
  std::uint32_t problems_max = 100;
  /// What `GET /v2` gives as the server's name. Some clients look for one that they know.
  std::string server_name = "dim";
  /// "group: header=value": requests of this group of the Open Inference Protocol need this header
  /// field. The groups: health, metadata, inference, shared-memory, model-config,
  /// model-repository, statistics, trace, logging.
  std::vector<std::string> restricted_apis;
  /// Loading a model by `POST /v2/repository/models/{name}/load`, or unloading it.
  std::uint32_t load_timeout_ms = 300'000;
};

/// `[orchestrator]`: jobs, placement and retries.
struct orchestrator_options {
  /// Jobs that are not terminal yet; more are refused as `overloaded`.
  std::uint32_t pending_jobs_max = 100'000;
  /// An execution that no node took in this time fails its job with `no_nodes`.
  std::uint32_t queue_timeout_ms = 120'000;
  /// A job that names no `timeout_ms`.
  std::uint32_t job_timeout_ms = 300'000;
  /// The largest `timeout_ms` that a job may ask for.
  std::uint64_t job_timeout_ms_max = 7ull * 24 * 3'600'000;
  /// Tries of one execution slot, the first included.
  std::uint32_t retry_attempts_max = 3;
  /// First pause before a retry; it doubles, with jitter, up to `retry_backoff_max_ms`.
  std::uint32_t retry_backoff_ms = 200;
  std::uint32_t retry_backoff_max_ms = 10'000;
  /// Waiting this long raises an execution by one priority level.
  std::uint32_t priority_age_ms = 30'000;
  /// Executions that a node is given at once, for each of its slots.
  std::uint32_t executions_per_slot = 2;
  /// How long a replicated job that has its consensus lets stragglers answer, to score them.
  std::uint32_t straggler_wait_ms = 30'000;
  /// After a restart: how long an execution waits for the node that had it in hand, and results
  /// that nobody asked for yet are kept at their nodes.
  std::uint32_t adopt_wait_ms = 15'000;
  /// How long a retry waits for a node that has not failed before it goes back to one that has.
  std::uint32_t avoid_wait_ms = 2'000;
  /// A job that names no `hedge_after_ms`: an execution without an answer for so long gets a second
  /// one on another node; the first answer wins. 0: never.
  std::uint64_t hedge_after_ms = 0;
  /// The largest `redundancy` of a job.
  std::uint32_t redundancy_max = 100;
  /// Models of a comparative job, or steps of a chained one.
  std::uint32_t steps_max = 64;
  /// Jobs of one array.
  std::uint32_t array_jobs_max = 1'000;
  /// Times that a crashed JOB actor is rebuilt before its job fails `internal`.
  std::uint32_t job_rebuilds_max = 3;
  /// Terminal jobs are deleted after this.
  std::uint32_t job_retention_hours = 168;
  std::uint32_t idempotency_retention_hours = 24;
  /// Events in memory for readers and subscribers; older ones are read from disk.
  std::uint32_t event_tail_max = 10'000;
};

/// `[store]`: the database, blobs and model files of the orchestrator.
struct store_options {
  /// Address space reserved for the database, which is its largest size; the file is sparse.
  std::uint64_t map_bytes = 64ull << 30;
  /// Commits that may wait for the writer; more are refused as `overloaded`.
  std::uint32_t commit_queue_max = 8'192;
  /// Commits written in one transaction at the most.
  std::uint32_t commit_batch_max = 256;
  /// fsync on every commit. Without it a power failure may lose acknowledged work.
  bool sync = true;
  /// Read every value once, in a child process, before the database is opened.
  bool check_on_start = true;
  /// Longest time for that check; 0: no limit.
  std::uint32_t check_timeout_ms = 600'000;
  /// Pause between two searches for what is old enough to be deleted.
  std::uint32_t sweep_interval_ms = 600'000;
  /// Blobs that nothing names are deleted after this.
  std::uint32_t blob_retention_hours = 24;
  /// One uploaded model file.
  std::uint64_t model_bytes_max = 16ull << 30;
  /// An upload without a new block for this long is abandoned.
  std::uint32_t upload_idle_ms = 60'000;
  /// Uploads in parts that may be unfinished at once, and the bytes that they may come to.
  std::uint32_t resumable_uploads_max = 16;
  std::uint64_t resumable_bytes_max = 64ull << 30;
  /// One to which nothing came for this long is dropped.
  std::uint64_t resumable_keep_ms = 24ull * 3'600'000;
  /// Opening an uploaded model in its child process.
  std::uint32_t model_check_timeout_ms = 120'000;
};

/// `[node]`: what this machine offers.
struct node_options {
  /// Empty: the host name; `resolve` fills it in.
  std::string name;
  /// Empty: a UUID that is made at the first start and kept in `<data_dir>/node_id`.
  std::string id;
  /// Who runs this node; replicas go to distinct owners. Empty: the node stands for itself.
  std::string owner;
  std::string region;
  /// Work accepted beyond what runs: direct inference and executions.
  std::uint32_t queue_max = 1'024;
  /// "cuda:0", "cpu:0", "cpu:0-1": each is one device. Empty: every CUDA device, or, where there is
  /// none, one device for each core.
  std::vector<std::string> devices;
  /// One folder a cabinet. Empty: `<data_dir>/cabinets`; `resolve` fills it in.
  std::string cabinets_dir;
  /// Cores offered; 0: all.
  std::uint32_t cpu_cores = 0;
  /// Memory offered; 0: all.
  std::uint64_t memory_bytes = 0;
  /// Model files kept; the least recently used go first.
  std::uint64_t cache_bytes = 50'000'000'000;
  /// Results kept until the orchestrator has acknowledged them.
  std::uint32_t unacknowledged_max = 4'096;
};

/// `[agent]`: the pair that serves one model version on one device.
struct agent_options {
  /// One execution, from its start to its end; then its agent process is killed.
  std::uint32_t timeout_ms = 120'000;
  /// An agent without work for this long is stopped.
  std::uint32_t idle_ms = 300'000;
  /// Private and shared memory (RssAnon + RssShmem) of one agent process; beyond it, it is killed.
  std::uint64_t memory_bytes = 4ull << 30;
  /// From the start of an agent process until its model is loaded.
  std::uint32_t start_timeout_ms = 60'000;
  /// How long a cancelled forward that runs alone may go on.
  std::uint32_t cancel_grace_ms = 2'000;
  /// Requests that wait in one agent.
  std::uint32_t queue_max = 1'024;
  /// The end of an agent's standard error that is kept.
  std::uint32_t stderr_bytes_max = 8 << 10;
  /// Empty: `dim-agent` in the folder of the running program; `resolve` fills it in.
  std::string program;
  /// "process" or "thread", for models that do not say.
  std::string isolation = "process";
  /// How batches go to an agent process: "shared_memory", or "socket", the link between the
  /// processes, which takes longer.
  std::string transport = "shared_memory";
};

/// `[supervision]`: restarts of crashed actors, unless their child spec says otherwise, and which
/// actors count as stuck.
struct supervision_options {
  std::uint32_t restarts_max = 5;
  std::uint32_t restarts_window_ms = 60'000;
  /// First pause before a restart; it doubles, with jitter, up to `backoff_max_ms`.
  std::uint32_t backoff_ms = 100;
  std::uint32_t backoff_max_ms = 5'000;
  /// An actor that handles one message for so long is stuck; 0: none ever is.
  std::uint32_t stuck_ms = 10'000;
};

/// `[log]`.
struct log_options {
  /// "trace", "debug", "info", "warn", "error" or "off".
  std::string level = "info";
  /// "json" (one object a line) or "text".
  std::string format = "json";
  /// Empty: standard error.
  std::string file;
};

/// `[reputation]`: a node's score.
struct reputation_options {
  std::int32_t initial = 100;
  std::int32_t agreed = 5;
  std::int32_t disagreed = -10;
  std::int32_t lost = -20;
  std::int32_t floor = 0;
};

/// `[faults]`: fault injection.
struct fault_options {
  /// Lets users of the gateway kill, freeze, cut off and disturb this process.
  bool enabled = false;
  /// The longest time for which one fault may be asked for.
  std::uint64_t lasts_max_ms = 3'600'000;
};

/// `[registry]`: when a node gets no more work because its executions fail, and how it is tried.
struct registry_options {
  /// Failed executions in a row that put a node into quarantine; 0: never.
  std::uint32_t quarantine_failures = 3;
  /// Good probes in a row that release it.
  std::uint32_t quarantine_probes = 3;
  /// Pause between two probes; it doubles with each bad one, up to `quarantine_probe_max_ms`.
  std::uint32_t quarantine_probe_ms = 5'000;
  std::uint32_t quarantine_probe_max_ms = 60'000;
  /// From sending a probe to its answer.
  std::uint32_t quarantine_probe_timeout_ms = 10'000;
};

/// `[serving]`: which models the orchestrator serves, and answers that are kept.
struct serving_options {
  /// "all": every model in the repository; "explicit": only those that somebody has loaded.
  std::string control = "all";
  /// Answers kept by models with `response_cache`, all together.
  std::uint64_t cache_bytes = 64ull << 20;
  /// Given to the requests of a version that is swapped out, before its agents are stopped.
  std::uint32_t retire_ms = 30'000;
};

/// `[router]`: direct inference.
struct router_options {
  /// "least_outstanding", "round_robin", "weighted", "random" or "power_of_two".
  std::string strategy = "least_outstanding";
  /// Direct inferences under way, of all models; more are refused as `overloaded`.
  std::uint32_t outstanding_max = 16'384;
  /// The same, of one version of a model.
  std::uint32_t outstanding_per_model_max = 8'192;
  /// Nodes that serve one version of a model at the same time; 0: all.
  std::uint32_t nodes_per_model_max = 0;
  /// A request whose node or agent is lost is tried once more on another node.
  bool retry = true;
  /// Records of inferences kept in memory.
  std::uint32_t records_max = 10'000;
  /// Records are also appended here, as JSON lines. Empty: `<data_dir>/inference.log`; `resolve`
  /// fills it in.
  std::string record_file;
  /// The file is begun anew at this size, with the full one kept beside it; 0: none is written.
  std::uint64_t record_file_bytes_max = 16ull << 20;
  /// The most popular models, so many, are started on a node that joins, or that no longer has
  /// their agents, while it is idle and has room that nobody uses; 0: none.
  std::uint32_t prewarm_models = 2;
  /// A request counts half as much for its model's popularity after so long.
  std::uint64_t popularity_half_life_ms = 3'600'000;
};

/// All options of one process.
struct options {
  cluster_options cluster;
  tls_options tls;
  gateway_options gateway;
  orchestrator_options orchestrator;
  store_options store;
  node_options node;
  agent_options agent;
  supervision_options supervision;
  log_options log;
  reputation_options reputation;
  fault_options faults;
  registry_options registry;
  serving_options serving;
  router_options router;
};

/// Whether `role` is one of `cluster.roles`.
bool has_role(const options& x, const std::string& role);

/// Fills in the options whose default depends on others or on the machine: `cluster.port_file`,
/// `node.name`, `node.cabinets_dir`, `agent.program`. Those that are set stay as they are.
void resolve(options& x);

}  // namespace dim::config
