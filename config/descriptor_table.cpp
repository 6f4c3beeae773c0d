#include <array>
#include <tuple>

#include "config/descriptor.hpp"

namespace dim::config {

namespace {

/// The one section of its type.
template <class Section, class Value>
Section& section_of(options& x, Value Section::*) {
  return std::get<Section&>(std::tie(x.cluster, x.tls, x.gateway, x.orchestrator, x.store, x.node,
                                     x.agent, x.supervision, x.log, x.reputation, x.faults,
                                     x.registry, x.serving, x.router));
}

template <auto Member>
slot at(options& x) {
  return &(section_of(x, Member).*Member);
}

constexpr std::string_view ms = "milliseconds";
constexpr std::string_view us = "microseconds";
constexpr std::string_view hours = "hours";
constexpr std::string_view bytes = "bytes";
constexpr std::int64_t day_ms = 24 * 3'600'000;
constexpr std::int64_t year_hours = 366 * 24;
constexpr std::int64_t million = 1'000'000;
constexpr std::int64_t mib = 1 << 20;
constexpr std::int64_t gib = 1 << 30;
constexpr std::int64_t tib = gib << 10;

using cluster = cluster_options;
using tls = tls_options;
using gateway = gateway_options;
using orchestrator = orchestrator_options;
using store = store_options;
using node = node_options;
using agent = agent_options;
using supervision = supervision_options;
using logging = log_options;
using reputation = reputation_options;
using faults = fault_options;
using registry = registry_options;
using serving = serving_options;
using router = router_options;

constexpr section_descriptor section_table[] = {
  {"cluster", "What all processes of a cluster share, and how they reach each other."},
  {"tls", "Links between the machines of a cluster. Three files in PEM, or none; see \"dim ca\"."},
  {"gateway", "HTTP."},
  {"orchestrator", "Jobs, placement and retries."},
  {"store", "The database, blobs and model files of the orchestrator."},
  {"node", "What this machine offers."},
  {"agent", "The pair that serves one model version on one device of a node."},
  {"supervision", "Restarts of crashed actors, and which actors count as stuck."},
  {"log", "What the process writes about itself."},
  {"reputation", "A node's score, and how the answers of replicated jobs change it."},
  {"faults", "Fault injection, for clusters that are there to be tested."},
  {"registry", "When a node is kept from new work because it fails, and how it is tried again."},
  {"serving", "Which models are served over HTTP without a job, and which answers are kept."},
  {"router", "Direct inference: which node a request goes to, and what is remembered of it."},
};

// section, key, value, unit, low, high, rule, meaning
const descriptor table[] = {
  {"cluster", "name", at<&cluster::name>, "", 0, 0, &cluster_name_rule,
   "Nodes and gateways with another cluster name are refused."},
  {"cluster", "roles", at<&cluster::roles>, "", 1, 3, &role_rule,
   "What this process does: any of orchestrator, gateway, node."},
  {"cluster", "data_dir", at<&cluster::data_dir>, "", 0, 0, &not_empty_rule,
   "Everything this process keeps on disk lies in this folder; it is made when missing."},
  {"cluster", "orchestrators", at<&cluster::orchestrators>, "", 1, 16, &address_rule,
   "Where nodes and gateways find the orchestrator; tried in order, over and over. Not used for "
   "what runs in the orchestrator's own process."},
  {"cluster", "bind", at<&cluster::bind>, "", 0, 0, &interface_rule,
   "The interface that the orchestrator listens on for nodes. Anything but loopback needs [tls]."},
  {"cluster", "port", at<&cluster::port>, "", 0, 65'535, nullptr,
   "The port that the orchestrator listens on for nodes; 0: any free one, see port_file."},
  {"cluster", "port_file", at<&cluster::port_file>, "", 0, 0, nullptr,
   "A JSON object with the ports in use is written here once all listen, and removed at the end. "
   "Empty: ports.json in data_dir."},
  {"cluster", "heartbeat_ms", at<&cluster::heartbeat_ms>, ms, 10, 60'000, nullptr,
   "Time between two heartbeats of a node."},
  {"cluster", "suspect_ms", at<&cluster::suspect_ms>, ms, 10, 600'000, nullptr,
   "A node that was silent for this long gets no new work."},
  {"cluster", "lost_ms", at<&cluster::lost_ms>, ms, 10, 3'600'000, nullptr,
   "A node, or the orchestrator, that was silent for this long counts as gone."},
  {"cluster", "dial_timeout_ms", at<&cluster::dial_timeout_ms>, ms, 10, 600'000, nullptr,
   "Time for one attempt to connect to an orchestrator."},
  {"cluster", "rejoin_backoff_ms", at<&cluster::rejoin_backoff_ms>, ms, 1, 600'000, nullptr,
   "First pause between two attempts to join; it doubles up to rejoin_backoff_max_ms."},
  {"cluster", "rejoin_backoff_max_ms", at<&cluster::rejoin_backoff_max_ms>, ms, 1, 3'600'000,
   nullptr, "Longest pause between two attempts to join."},
  {"cluster", "request_timeout_ms", at<&cluster::request_timeout_ms>, ms, 10, 600'000, nullptr,
   "Time for a question to another process that starts no inference."},
  {"cluster", "chunk_window", at<&cluster::chunk_window>, "", 1, 1'024, nullptr,
   "Chunks of 1 MiB that one transfer may have on the way."},
  {"cluster", "drain_ms", at<&cluster::drain_ms>, ms, 0, day_ms, nullptr,
   "How long a stopping process lets running work end."},
  {"cluster", "worker_threads", at<&cluster::worker_threads>, "", 0, 1'024, nullptr,
   "Threads that run actors; 0: one a core."},
  {"cluster", "spin_us", at<&cluster::spin_us>, us, 0, 10'000, nullptr,
   "While direct inferences are under way: how long a thread looks for more work before it sleeps, "
   "giving its core to others meanwhile; with many of them 50 at most, and in agent processes not "
   "at all. 0: it sleeps at once."},

  {"tls", "certificate", at<&tls::certificate>, "", 0, 0, nullptr,
   "The file with this process's certificate, signed by the cluster's authority. Empty: no TLS."},
  {"tls", "key", at<&tls::key>, "", 0, 0, nullptr,
   "The file with its key, which has no passphrase and is not for everybody to read."},
  {"tls", "ca", at<&tls::ca>, "", 0, 0, nullptr,
   "The file with the certificate of the cluster's authority: whoever has one that it signed may "
   "do everything, whatever its name."},
  {"tls", "handshake_timeout_ms", at<&tls::handshake_timeout_ms>, ms, 10, 600'000, nullptr,
   "From an accepted connection to the end of its handshake."},
  {"tls", "handshakes_max", at<&tls::handshakes_max>, "", 1, 65'536, nullptr,
   "Accepted connections whose handshake has not ended; one more, and the oldest is closed."},

  {"gateway", "bind", at<&gateway::bind>, "", 0, 0, &interface_rule,
   "The interface that HTTP is served on. Anything but loopback is open to whoever reaches it."},
  {"gateway", "port", at<&gateway::port>, "", 0, 65'535, nullptr,
   "The port that HTTP is served on; 0: any free one, see cluster.port_file."},
  {"gateway", "threads", at<&gateway::threads>, "", 0, 256, nullptr,
   "Threads that read, parse and answer HTTP; 0: one for every two cores."},
  {"gateway", "bind_threads", at<&gateway::bind_threads>, "", 0, 0, nullptr,
   "In a process that is a node too: these threads keep to the upper half of the cores."},
  {"gateway", "body_bytes_max", at<&gateway::body_bytes_max>, bytes, 1'024, 16 * gib, nullptr,
   "Largest body of a request, but for uploads of models."},
  {"gateway", "header_bytes_max", at<&gateway::header_bytes_max>, bytes, 1'024, mib, nullptr,
   "Largest request line and header fields together."},
  {"gateway", "connections_max", at<&gateway::connections_max>, "", 1, million, nullptr,
   "Open connections; more are closed at once."},
  {"gateway", "uploads_max", at<&gateway::uploads_max>, "", 1, 1'024, nullptr,
   "Uploads of models at the same time; more are answered 503."},
  {"gateway", "idle_timeout_ms", at<&gateway::idle_timeout_ms>, ms, 10, day_ms, nullptr,
   "A connection on which nothing has come or gone for this long, or 4 KiB of a body have not "
   "come, is closed."},
  {"gateway", "request_timeout_ms", at<&gateway::request_timeout_ms>, ms, 10, day_ms, nullptr,
   "From a complete request to its answer, beside what the request itself asks to wait."},
  {"gateway", "wait_ms_max", at<&gateway::wait_ms_max>, ms, 0, 3'600'000, nullptr,
   "The largest wait_ms of a request."},
  {"gateway", "json_depth_max", at<&gateway::json_depth_max>, "", 8, 1'024, nullptr,
   "Objects and arrays inside each other in a request."},
  {"gateway", "problems_max", at<&gateway::problems_max>, "", 1, 10'000, nullptr,
   "Problems listed in one answer; more are counted."},
  {"gateway", "server_name", at<&gateway::server_name>, "", 0, 0, &not_empty_rule,
   "What GET /v2 gives as the server's name. Some clients look for one that they know."},
  {"gateway", "restricted_apis", at<&gateway::restricted_apis>, "", 0, 64, &restriction_rule,
   "Requests of this group of the Open Inference Protocol, and those beside it that do the same, "
   "need this header field. The groups: health, metadata, inference, shared-memory, "
   "model-config, model-repository, statistics, trace, logging."},
  {"gateway", "load_timeout_ms", at<&gateway::load_timeout_ms>, ms, 10, day_ms, nullptr,
   "Loading a model by POST /v2/repository/models/{name}/load, or unloading it."},

  {"orchestrator", "pending_jobs_max", at<&orchestrator::pending_jobs_max>, "", 1, 100 * million,
   nullptr, "Jobs that have not ended; more are refused as overloaded."},
  {"orchestrator", "queue_timeout_ms", at<&orchestrator::queue_timeout_ms>, ms, 10, 7 * day_ms,
   nullptr, "An execution that no node took in this time fails its job with no_nodes."},
  {"orchestrator", "job_timeout_ms", at<&orchestrator::job_timeout_ms>, ms, 10, 30 * day_ms,
   nullptr, "The time of a job that names no timeout_ms, from its admission to its end."},
  {"orchestrator", "job_timeout_ms_max", at<&orchestrator::job_timeout_ms_max>, ms, 10,
   366 * day_ms, nullptr, "The largest timeout_ms that a job may ask for."},
  {"orchestrator", "retry_attempts_max", at<&orchestrator::retry_attempts_max>, "", 1, 100, nullptr,
   "Tries of one execution, the first included, for a job that names no retry.attempts_max."},
  {"orchestrator", "retry_backoff_ms", at<&orchestrator::retry_backoff_ms>, ms, 0, 600'000, nullptr,
   "First pause before a retry; it doubles, with jitter, up to retry_backoff_max_ms."},
  {"orchestrator", "retry_backoff_max_ms", at<&orchestrator::retry_backoff_max_ms>, ms, 0, day_ms,
   nullptr, "Longest pause before a retry."},
  {"orchestrator", "priority_age_ms", at<&orchestrator::priority_age_ms>, ms, 10, day_ms, nullptr,
   "Waiting this long raises an execution by one priority level."},
  {"orchestrator", "executions_per_slot", at<&orchestrator::executions_per_slot>, "", 1, 64,
   nullptr, "Executions that a node is given at once, for each of its slots."},
  {"orchestrator", "straggler_wait_ms", at<&orchestrator::straggler_wait_ms>, ms, 0, day_ms,
   nullptr,
   "How long a replicated job that has its consensus lets the others answer, to score them."},
  {"orchestrator", "adopt_wait_ms", at<&orchestrator::adopt_wait_ms>, ms, 0, day_ms, nullptr,
   "After a restart: how long an execution waits for the node that had it in hand."},
  {"orchestrator", "avoid_wait_ms", at<&orchestrator::avoid_wait_ms>, ms, 0, day_ms, nullptr,
   "How long a retry waits for a node that has not failed before it takes one that has."},
  {"orchestrator", "hedge_after_ms", at<&orchestrator::hedge_after_ms>, ms, 0, 7 * day_ms, nullptr,
   "An execution without an answer for so long gets a second one on another node. 0: never."},
  {"orchestrator", "redundancy_max", at<&orchestrator::redundancy_max>, "", 1, 10'000, nullptr,
   "The largest redundancy that a job may ask for."},
  {"orchestrator", "steps_max", at<&orchestrator::steps_max>, "", 1, 10'000, nullptr,
   "Models of a comparative job, or steps of a chained one."},
  {"orchestrator", "array_jobs_max", at<&orchestrator::array_jobs_max>, "", 1, 10'000, nullptr,
   "Jobs that one submission may make of an array of inputs."},
  {"orchestrator", "job_rebuilds_max", at<&orchestrator::job_rebuilds_max>, "", 0, 100, nullptr,
   "Times that a job is taken up again after a crash before it fails as internal."},
  {"orchestrator", "job_retention_hours", at<&orchestrator::job_retention_hours>, hours, 0,
   10 * year_hours, nullptr,
   "Jobs that have ended are deleted after this time; 0: by the next search for what is old."},
  {"orchestrator", "idempotency_retention_hours", at<&orchestrator::idempotency_retention_hours>,
   hours, 1, 10 * year_hours, nullptr, "How long an Idempotency-Key is remembered."},
  {"orchestrator", "event_tail_max", at<&orchestrator::event_tail_max>, "", 1, 10 * million,
   nullptr, "Events kept in memory for readers; older ones are read from disk."},

  {"store", "map_bytes", at<&store::map_bytes>, bytes, mib, 64 * tib, nullptr,
   "Address space of the database, which is its largest size; the file grows as it is used."},
  {"store", "commit_queue_max", at<&store::commit_queue_max>, "", 1, million, nullptr,
   "Writes that may wait for the disk; more are refused as overloaded."},
  {"store", "commit_batch_max", at<&store::commit_batch_max>, "", 1, 65'536, nullptr,
   "Writes that share one transaction at the most."},
  {"store", "sync", at<&store::sync>, "", 0, 0, nullptr,
   "Whether every commit reaches the disk before it is acknowledged. Without it a power failure "
   "may lose acknowledged work."},
  {"store", "check_on_start", at<&store::check_on_start>, "", 0, 0, nullptr,
   "Whether the whole database is read once, in a child process, before it is used."},
  {"store", "check_timeout_ms", at<&store::check_timeout_ms>, ms, 0, day_ms, nullptr,
   "Time for that check; 0: no limit."},
  {"store", "sweep_interval_ms", at<&store::sweep_interval_ms>, ms, 10, day_ms, nullptr,
   "Pause between two searches for jobs, keys, events and blobs that are to be deleted."},
  {"store", "blob_retention_hours", at<&store::blob_retention_hours>, hours, 1, 10 * year_hours,
   nullptr, "Blobs that no job names are deleted after this time."},
  {"store", "model_bytes_max", at<&store::model_bytes_max>, bytes, 1'024, 16 * tib, nullptr,
   "Largest model file that is accepted."},
  {"store", "upload_idle_ms", at<&store::upload_idle_ms>, ms, 10, day_ms, nullptr,
   "An upload to which nothing came for this long is abandoned."},
  {"store", "resumable_uploads_max", at<&store::resumable_uploads_max>, "", 1, 1'024, nullptr,
   "Uploads in parts that may be unfinished at the same time; more are answered 503."},
  {"store", "resumable_bytes_max", at<&store::resumable_bytes_max>, bytes, 1'024, 64 * tib, nullptr,
   "What the files of unfinished uploads in parts may come to together."},
  {"store", "resumable_keep_ms", at<&store::resumable_keep_ms>, ms, 10, 365 * day_ms, nullptr,
   "An unfinished upload in parts to which nothing came for this long is dropped."},
  {"store", "model_check_timeout_ms", at<&store::model_check_timeout_ms>, ms, 10, day_ms, nullptr,
   "Time for opening an uploaded model, which is done in a child process."},

  {"node", "name", at<&node::name>, "", 0, 0, &label_rule,
   "What people call this node. Empty: the host name."},
  {"node", "id", at<&node::id>, "", 0, 0, &optional_uuid_rule,
   "Empty: one is made at the first start and kept in data_dir."},
  {"node", "owner", at<&node::owner>, "", 0, 0, &label_rule,
   "Who runs this node; replicas go to distinct owners. Empty: the node stands for itself."},
  {"node", "region", at<&node::region>, "", 0, 0, &label_rule, "Where this node stands."},
  {"node", "queue_max", at<&node::queue_max>, "", 1, million, nullptr,
   "Requests accepted beyond what runs; more are refused as overloaded."},
  {"node", "devices", at<&node::devices>, "", 0, 1'024, &device_rule,
   "GPUs and sets of cores, each one device: \"cuda:0\", \"cpu:0\", \"cpu:0-1\". Empty: every CUDA "
   "device, or, where there is none, one device for each core."},
  {"node", "cabinets_dir", at<&node::cabinets_dir>, "", 0, 0, nullptr,
   "The folder with the data cabinets, one folder each. Empty: cabinets in data_dir."},
  {"node", "cpu_cores", at<&node::cpu_cores>, "cores", 0, 65'536, nullptr,
   "Cores offered to the cluster; 0: all."},
  {"node", "memory_bytes", at<&node::memory_bytes>, bytes, 0, 1'024 * tib, nullptr,
   "Memory offered to the cluster; 0: all."},
  {"node", "cache_bytes", at<&node::cache_bytes>, bytes, 0, 1'024 * tib, nullptr,
   "Model files kept on disk; the least recently used go first."},
  {"node", "unacknowledged_max", at<&node::unacknowledged_max>, "", 1, million, nullptr,
   "Results kept until the orchestrator has acknowledged them."},

  {"agent", "timeout_ms", at<&agent::timeout_ms>, ms, 10, 7 * day_ms, nullptr,
   "Time for one execution, from its start to its end; then its agent process is killed."},
  {"agent", "idle_ms", at<&agent::idle_ms>, ms, 10, 30 * day_ms, nullptr,
   "An agent that had no work for this long is stopped."},
  {"agent", "memory_bytes", at<&agent::memory_bytes>, bytes, 16 * mib, 16 * tib, nullptr,
   "Memory of one agent process (RssAnon + RssShmem); beyond it, the process is killed."},
  {"agent", "start_timeout_ms", at<&agent::start_timeout_ms>, ms, 10, day_ms, nullptr,
   "From the start of an agent process until its model is loaded."},
  {"agent", "cancel_grace_ms", at<&agent::cancel_grace_ms>, ms, 0, 3'600'000, nullptr,
   "How long a cancelled forward that runs alone may go on before its process is killed."},
  {"agent", "queue_max", at<&agent::queue_max>, "", 1, million, nullptr,
   "Requests that may wait in one agent."},
  {"agent", "stderr_bytes_max", at<&agent::stderr_bytes_max>, bytes, 0, mib, nullptr,
   "The end of a dead agent's standard error that is kept with its execution."},
  {"agent", "program", at<&agent::program>, "", 0, 0, nullptr,
   "The agent's program. Empty: dim-agent in the folder of the running program."},
  {"agent", "isolation", at<&agent::isolation>, "", 0, 0, &isolation_rule,
   "Where models run that do not say: in a process of their own, or on a thread of the node."},
  {"agent", "transport", at<&agent::transport>, "", 0, 0, &transport_rule,
   "How batches go to an agent process: through memory that it shares with its node, or over the "
   "link between the two, which takes longer."},

  {"supervision", "restarts_max", at<&supervision::restarts_max>, "", 0, 10'000, nullptr,
   "Restarts of one child within restarts_window_ms; one more, and its supervisor gives up."},
  {"supervision", "restarts_window_ms", at<&supervision::restarts_window_ms>, ms, 1, day_ms,
   nullptr, "The time over which restarts are counted."},
  {"supervision", "backoff_ms", at<&supervision::backoff_ms>, ms, 0, 600'000, nullptr,
   "First pause before a restart; it doubles, with jitter, up to backoff_max_ms."},
  {"supervision", "backoff_max_ms", at<&supervision::backoff_max_ms>, ms, 0, 3'600'000, nullptr,
   "Longest pause before a restart."},
  {"supervision", "stuck_ms", at<&supervision::stuck_ms>, ms, 0, day_ms, nullptr,
   "Time for one message after which its actor is stuck, and the process not ready; 0: never."},

  {"log", "level", at<&logging::level>, "", 0, 0, &log_level_rule,
   "The least important messages that are written."},
  {"log", "format", at<&logging::format>, "", 0, 0, &log_format_rule,
   "One JSON object a line, or lines for people."},
  {"log", "file", at<&logging::file>, "", 0, 0, nullptr, "Empty: standard error."},

  {"reputation", "initial", at<&reputation::initial>, "points", -million, million, nullptr,
   "Score of a new node."},
  {"reputation", "agreed", at<&reputation::agreed>, "points", 0, million, nullptr,
   "Added when a node's answer agreed with the consensus."},
  {"reputation", "disagreed", at<&reputation::disagreed>, "points", -million, 0, nullptr,
   "Added when it did not."},
  {"reputation", "lost", at<&reputation::lost>, "points", -million, 0, nullptr,
   "Added when a node went silent, once each time."},
  {"reputation", "floor", at<&reputation::floor>, "points", -million, million, nullptr,
   "No score falls below this."},

  {"faults", "enabled", at<&faults::enabled>, "", 0, 0, nullptr,
   "Lets whoever reaches the gateway kill, freeze, cut off and disturb this process."},
  {"faults", "lasts_max_ms", at<&faults::lasts_max_ms>, ms, 1, day_ms, nullptr,
   "The longest time for which one fault may be asked for."},
  {"registry", "quarantine_failures", at<&registry::quarantine_failures>, "", 0, million, nullptr,
   "Failed executions in a row that put a node into quarantine; 0: never."},
  {"registry", "quarantine_probes", at<&registry::quarantine_probes>, "", 1, 1'000, nullptr,
   "Good probes in a row that release a node from quarantine."},
  {"registry", "quarantine_probe_ms", at<&registry::quarantine_probe_ms>, ms, 10, day_ms, nullptr,
   "Pause between two probes of a node in quarantine; it doubles with each bad one."},
  {"registry", "quarantine_probe_max_ms", at<&registry::quarantine_probe_max_ms>, ms, 10, day_ms,
   nullptr, "Longest pause between two probes."},
  {"registry", "quarantine_probe_timeout_ms", at<&registry::quarantine_probe_timeout_ms>, ms, 10,
   day_ms, nullptr, "Time for one probe, from its sending to its answer."},

  {"serving", "control", at<&serving::control>, "", 0, 0, &control_rule,
   "Serve every model in the repository, or only those that are loaded by request."},
  {"serving", "cache_bytes", at<&serving::cache_bytes>, bytes, 0, tib, nullptr,
   "Memory for answers of models with response_cache, all together; the oldest go first."},
  {"serving", "retire_ms", at<&serving::retire_ms>, ms, 0, day_ms, nullptr,
   "Time for the requests of a version that is swapped out, before its agents are stopped."},
  {"router", "strategy", at<&router::strategy>, "", 0, 0, &balance_rule,
   "How a node is chosen among those that serve the model."},
  {"router", "outstanding_max", at<&router::outstanding_max>, "", 1, million, nullptr,
   "Direct inferences under way; more are refused until some have ended."},
  {"router", "outstanding_per_model_max", at<&router::outstanding_per_model_max>, "", 1, million,
   nullptr, "Direct inferences under way to one version of a model."},
  {"router", "nodes_per_model_max", at<&router::nodes_per_model_max>, "", 0, million, nullptr,
   "Nodes that serve one version of a model at the same time; 0: all."},
  {"router", "retry", at<&router::retry>, "", 0, 0, nullptr,
   "A request whose node or agent is lost is tried once more on another node."},
  {"router", "records_max", at<&router::records_max>, "", 0, million, nullptr,
   "Direct inferences that are remembered, without their tensors."},
  {"router", "record_file", at<&router::record_file>, "", 0, 0, nullptr,
   "Where they are written, one JSON object a line. Empty: inference.log in data_dir."},
  {"router", "record_file_bytes_max", at<&router::record_file_bytes_max>, bytes, 0, tib, nullptr,
   "A file of this size is put aside as FILE.1 and begun anew; 0: none is written."},
  {"router", "prewarm_models", at<&router::prewarm_models>, "", 0, 256, nullptr,
   "Most popular models that a node starts unasked, while idle, in spare memory; 0: none."},
  {"router", "popularity_half_life_ms", at<&router::popularity_half_life_ms>, ms, 1'000,
   30 * day_ms, nullptr,
   "After so long a request counts half as much for the popularity of its model."},
};

}  // namespace

std::span<const section_descriptor> sections() {
  return section_table;
}

std::span<const descriptor> descriptors() {
  return table;
}

}  // namespace dim::config
