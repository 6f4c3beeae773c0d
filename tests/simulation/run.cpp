#include "tests/simulation/run.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "actors/type_ids.hpp"
#include "tests/simulation/caller.hpp"
#include "tests/simulation/client.hpp"
#include "tests/simulation/fault_driver.hpp"
#include "tests/simulation/observer.hpp"
#include "tests/simulation/probe.hpp"

namespace dim::simulation {

namespace {

namespace fs = std::filesystem;

/// Longest time until all nodes are members at the start.
constexpr std::int64_t boot_ms = 30'000;

/// After the last job: stragglers are scored, idle agents stop, timers of what is over fire.
constexpr std::int64_t quiet_ms = 330'000;

/// Messages that may wait in one mailbox.
constexpr std::int64_t mailbox_max = 10'000;

/// Steps at the most, against actors that answer each other for ever.
constexpr std::uint64_t steps_max = 20'000'000;

config::options options_of_cluster() {
  config::options result;
  result.store.map_bytes = 64ull << 20;
  result.store.sync = false;
  result.store.check_on_start = false;
  result.store.sweep_interval_ms = 100'000;
  result.agent.idle_ms = 20'000;
  result.agent.timeout_ms = 20'000;
  // Popular models would be started at any time, also when everything is to be quiet.
  result.router.prewarm_models = 0;
  return result;
}

/// A folder that is removed at the end.
class run_folder {
public:
  explicit run_folder(const fs::path& wish) {
    if (!wish.empty()) {
      path_ = wish;
      return;
    }
    std::error_code problem;
    fs::path base = fs::is_directory("/dev/shm", problem) ? fs::path{"/dev/shm"}
                                                          : fs::temp_directory_path();
    auto name = (base / "dim-sim-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr)
      path_ = name;
    is_own_ = true;
  }
  ~run_folder() {
    std::error_code ignored;
    if (is_own_)
      fs::remove_all(path_, ignored);
  }
  run_folder(const run_folder&) = delete;
  run_folder& operator=(const run_folder&) = delete;

  const fs::path& path() const noexcept {
    return path_;
  }

private:
  fs::path path_;
  bool is_own_ = false;
};

class world {
public:
  world(const scenario::scenario& plan, const run_options& options, const fs::path& folder);

  outcome run();

private:
  bool step();
  /// Steps until `done` or for `wait_ms`; whether it was done.
  template <class Condition>
  bool run_until(std::int64_t wait_ms, Condition done);
  bool all_joined();
  void start_client();
  void start_caller();
  /// Whether all faults of the plan are those of nodes, so that none keeps an answer from clients.
  bool spares_orchestrator() const;
  /// The answers of nodes are right.
  bool has_right_answers() const;
  /// Actors, messages and timers, by name.
  std::map<std::string, std::int64_t> count_what_is_left();
  void note_numbers();
  void check();

  scenario::scenario plan_;
  run_options options_;
  simulator sim_;
  network net_;
  fault_driver faults_;
  cluster cluster_;
  observer observer_;
  std::shared_ptr<client_record> record_ = std::make_shared<client_record>();
  std::map<std::string, std::int64_t> before_;
  outcome result_;
};

cluster_settings settings_of(const scenario::scenario& plan, fault_driver& faults,
                             const fs::path& folder) {
  cluster_settings result;
  result.nodes = plan.nodes;
  result.folder = folder;
  result.options = options_of_cluster();
  result.forwards = [&faults](std::uint32_t index, const std::string& model) {
    return faults.forward(index, model);
  };
  result.disk = faults.disk();
  return result;
}

world::world(const scenario::scenario& plan, const run_options& options, const fs::path& folder)
  : plan_(plan), options_(options), sim_(plan.seed), net_(sim_, options.quality),
    faults_(sim_, net_, plan_),
    cluster_(sim_, net_, settings_of(plan_, faults_, folder), options.hooks),
    observer_(sim_, cluster_) {
  sim_.steps_taken.write_to(options.trace);
  faults_.attach(cluster_);
  net_.on_packet = [this](packet& what) {
    auto fate = faults_.on_packet(what);
    if (options_.hooks != nullptr) {
      auto more = options_.hooks->on_packet(what);
      fate.dropped = fate.dropped || more.dropped;
      fate.extra_copies += more.extra_copies;
      fate.delay_us += more.delay_us;
    }
    return fate;
  };
  net_.on_silence = [this](host_id, host_id) { observer_.note_path("silence_noticed"); };
  sim_.on_message = [this](caf::scheduled_actor& receiver, const caf::mailbox_element& element) {
    observer_.on_message(receiver, element);
  };
}

bool world::step() {
  auto is_going_on = sim_.step();
  observer_.after_step();
  return is_going_on && observer_.violations().empty();
}

template <class Condition>
bool world::run_until(std::int64_t wait_ms, Condition done) {
  auto until = sim_.now_ms() + wait_ms;
  auto looked_at = sim_.now_ms();
  while (sim_.now_ms() < until && sim_.steps() < steps_max) {
    if (!step())
      return false;
    // Conditions are costly, and nothing is lost by a late look.
    if (sim_.now_ms() - looked_at < 100)
      continue;
    looked_at = sim_.now_ms();
    if (done())
      return true;
  }
  return done();
}

bool world::all_joined() {
  if (!cluster_.is_serving())
    return false;
  auto nodes = ask<actors::node_list>(sim_, cluster::orchestrator_host,
                                      cluster_.services().registry.get(), actors::list_nodes{});
  if (!nodes)
    return false;
  auto members = std::count_if(nodes->nodes.begin(), nodes->nodes.end(), [](const auto& one) {
    return one.state == actors::node_state::online || one.state == actors::node_state::busy;
  });
  return members == static_cast<std::ptrdiff_t>(cluster_.nodes());
}

void world::start_client() {
  record_->on_submission = [this](const scenario::submission& made) { observer_.note(made); };
  record_->on_sighting = [this](const scenario::sighting& seen) { observer_.note(seen); };
  record_->on_problem = [this](const std::string& what, const std::string& detail) {
    observer_.note_violation(what, detail);
  };
  client_arguments arguments;
  arguments.entry = cluster_.client_entry();
  arguments.jobs = plan_jobs(plan_.load, plan_.nodes, sim_.now_ms(), sim_.random);
  arguments.seed = sim_.random.next();
  arguments.checks_single_answers = has_right_answers();
  arguments.record = record_;
  sim_.as(cluster_.client_host(), [&] { spawn_client(sim_.system(), std::move(arguments)); });
}

void world::start_caller() {
  caller_arguments arguments;
  arguments.entry = cluster_.client_entry();
  arguments.inferences = plan_inferences(plan_.load.jobs, sim_.now_ms(),
                                         std::max<std::int64_t>(plan_.duration_ms, 1),
                                         sim_.random);
  arguments.checks_answers = has_right_answers();
  arguments.expects_answers = spares_orchestrator() && options_.quality.in_order;
  arguments.record = record_;
  sim_.as(cluster_.client_host(), [&] { spawn_caller(sim_.system(), std::move(arguments)); });
}

bool world::spares_orchestrator() const {
  // "node/n1", or "actor/AGENT@node/n1".
  return std::all_of(plan_.faults.begin(), plan_.faults.end(), [](const scenario::fault& one) {
    return one.target.find("node/") != std::string::npos;
  });
}

bool world::has_right_answers() const {
  return std::none_of(plan_.faults.begin(), plan_.faults.end(), [](const scenario::fault& one) {
    return one.action == scenario::fault_action::wrong_result;
  });
}

std::map<std::string, std::int64_t> world::count_what_is_left() {
  while (sim_.actors().ready() > 0 && step()) {
  }
  std::map<std::string, std::int64_t> now;
  for (auto& line : sim_.context().actors.lines()) {
    ++now["actors " + line.name];
    now["messages in mailboxes"] += line.mailbox;
  }
  for (auto& [name, count] : sim_.timers())
    now["timers " + name] = count;
  auto status = ask<actors::cluster_status>(sim_, cluster::orchestrator_host,
                                            cluster_.services().registry.get(),
                                            actors::get_cluster_status{});
  now["executions waiting"] = status ? status->executions_waiting : -1;
  now["executions running"] = status ? status->executions_running : -1;
  return now;
}

void world::note_numbers() {
  std::map<std::string, std::int64_t> peaks;
  for (auto& line : sim_.context().actors.lines())
    peaks[line.name] = std::max(peaks[line.name], line.mailbox_peak);
  for (auto& [name, peak] : peaks)
    observer_.seen().gauges.push_back({"mailbox of " + name, peak, mailbox_max});
  auto after = count_what_is_left();
  for (auto& [name, count] : before_)
    observer_.seen().baselines.push_back({name, count, std::exchange(after[name], 0)});
  for (auto& [name, count] : after)
    if (!before_.contains(name))
      observer_.seen().baselines.push_back({name, 0, count});
  observer_.seen().baselines.push_back({"open executions beside those named", 0, 0});
  for (auto& each : observer_.seen().executions)
    if (each.state == "scheduled" || each.state == "running")
      observer_.seen().baselines.push_back(
        {"open execution " + each.id + " of job " + each.job_id, 0, 1});
}

void world::check() {
  observer_.read_store();
  if (auto nodes = ask<actors::node_list>(sim_, cluster::orchestrator_host,
                                          cluster_.services().registry.get(),
                                          actors::list_nodes{}))
    observer_.note_nodes(nodes->nodes);
  note_numbers();
  result_.verdicts = scenario::check(observer_.seen());
  for (auto& verdict : result_.verdicts)
    result_.violations.insert(result_.violations.end(), verdict.violations.begin(),
                              verdict.violations.end());
}

outcome world::run() {
  cluster_.start_all();
  if (!run_until(boot_ms, [this] { return all_joined(); }))
    observer_.note_violation("cluster_starts", "not all nodes are members after the start");
  // What the start needed is over, and its timers as well.
  run_until(quiet_ms, [] { return false; });
  before_ = count_what_is_left();
  start_client();
  start_caller();
  faults_.begin();
  run_until(plan_.duration_ms, [this] { return plan_.faults.empty() && record_->is_done(); });
  auto is_settled = observer_.violations().empty() && run_until(plan_.settle_ms, [this] {
    return record_->is_done() && all_joined();
  });
  if (!is_settled && observer_.violations().empty())
    observer_.note_violation("everything_settles",
                             std::to_string(record_->ended) + " of "
                               + std::to_string(record_->jobs) + " jobs have ended, "
                               + std::to_string(record_->inferences_ended) + " of "
                               + std::to_string(record_->inferences) + " inferences, "
                               + (all_joined() ? "all" : "not all") + " nodes are members");
  if (observer_.violations().empty())
    run_until(quiet_ms, [] { return false; });
  result_.violations = observer_.violations();
  if (result_.violations.empty())
    check();
  for (auto& [name, times] : record_->paths)
    observer_.note_path(name, times);
  observer_.seen().faults = faults_.strikes();
  result_.hash = sim_.steps_taken.hash();
  result_.steps = sim_.steps();
  result_.packets = net_.packets_sent;
  result_.virtual_ms = sim_.now_ms();
  result_.seen = std::move(observer_.seen());
  return std::move(result_);
}

}  // namespace

outcome run_scenario(const scenario::scenario& plan, const run_options& options) {
  run_folder folder{options.folder};
  world one{plan, options, folder.path()};
  return one.run();
}

}  // namespace dim::simulation
