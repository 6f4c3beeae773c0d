#include "tests/actors/real_node.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include "actors/agent/inference.hpp"
#include "actors/message_types.hpp"
#include "actors/type_ids.hpp"
#include "models/disk_file.hpp"
#include "runtime/caf_errors.hpp"
#include "tests/models/script_file.hpp"
#include "tests/models/tensors.hpp"

namespace dim::tests {

using runtime::error_code;

void heard_events::note(const actors::execution_started& news) {
  std::lock_guard guard{mutex_};
  started_[news.execution_id] = news;
  changed_.notify_all();
}

void heard_events::note(const actors::execution_finished& news) {
  std::lock_guard guard{mutex_};
  finished_[news.execution_id] = news;
  changed_.notify_all();
}

void heard_events::note_join(const actors::node_actor& node) {
  std::lock_guard guard{mutex_};
  ++joins_;
  node_ = node;
  changed_.notify_all();
}

bool heard_events::wait_joins(int count) {
  std::unique_lock guard{mutex_};
  return changed_.wait_for(guard, real_patience, [&] { return joins_ >= count; });
}

actors::node_actor heard_events::wait_node() {
  std::unique_lock guard{mutex_};
  changed_.wait_for(guard, real_patience, [&] { return joins_ > 0; });
  return node_;
}

std::optional<actors::execution_started> heard_events::wait_started(
  const std::string& execution_id) {
  std::unique_lock guard{mutex_};
  if (!changed_.wait_for(guard, real_patience, [&] { return started_.contains(execution_id); }))
    return std::nullopt;
  return started_[execution_id];
}

std::optional<actors::execution_finished> heard_events::wait_finished(
  const std::string& execution_id) {
  std::unique_lock guard{mutex_};
  if (!changed_.wait_for(guard, real_patience, [&] { return finished_.contains(execution_id); }))
    return std::nullopt;
  return finished_[execution_id];
}

namespace {

struct orchestrator_state {
  static inline const char* name = "FAKE ORCHESTRATOR";
  std::map<std::string, actors::model_entry> models;
  std::map<std::string, std::string> files;
};

caf::behavior orchestrator(runtime::actor_self<caf::actor, orchestrator_state> self,
                           std::map<std::string, actors::model_entry> models,
                           std::map<std::string, std::string> files,
                           std::shared_ptr<heard_events> events) {
  self->state = {std::move(models), std::move(files)};
  auto& state = self->state;
  return {
    [events](const actors::join_cluster& news) {
      events->note_join(news.handle);
      return actors::join_accepted{1, 1'000};
    },
    [](const actors::node_heartbeat&) {},
    [events](const actors::execution_started& news) { events->note(news); },
    [self, events](const actors::execution_finished& news) {
      if (auto node = caf::actor_cast<caf::actor>(self->current_sender()))
        self->send(node, actors::acknowledge_execution{news.execution_id, news.epoch});
      events->note(news);
    },
    [&state](const actors::find_model& wish) -> caf::result<actors::model_entry> {
      auto found = state.models.find(wish.name);
      if (found == state.models.end())
        return runtime::to_error(error_code::model_not_found, "no model " + wish.name);
      return found->second;
    },
    [&state](const actors::fetch_chunk& wish) -> caf::result<actors::chunk> {
      std::string_view file = state.files.at(wish.digest);
      return actors::chunk{runtime::bytes::copy_of(file.substr(wish.offset, wish.length)),
                           file.size()};
    },
  };
}

}  // namespace

real_node::real_node() {
  options.cluster.data_dir = folder / "node";
  options.node.name = "real";
  options.node.devices = {"cpu:0"};
  options.node.cabinets_dir = folder / "cabinets";
  options.agent.program = std::string{DIM_BINARY_DIR} + "/bin/dim-agent";
}

real_node::~real_node() {
  stop();
}

void real_node::add_model(const models::model_spec& spec, const std::filesystem::path& path) {
  auto content = models::read_text(path, 1 << 30);
  REQUIRE(content);
  auto digest = runtime::sha256_hex(*content);
  models_[spec.name] = {spec.name, "1", digest, content->size(), 0, spec};
  files_[digest] = std::move(*content);
}

void real_node::add_script(const std::string& name, const std::string& source,
                           models::isolation isolated, std::uint32_t instances) {
  auto spec = simple_spec(2, 2, 8);
  spec.instances = {{instances, models::instance_kind::automatic, {}}};
  spec.name = name;
  spec.isolated = isolated;
  auto path = folder / (name + ".pt");
  write_script(path, source);
  add_model(spec, path);
}

void real_node::start() {
  config_ = std::make_unique<runtime::system_config>();
  actors::add_message_types(*config_);
  config_->enable_links(options.cluster.heartbeat_ms, options.cluster.lost_ms);
  launcher_ = std::make_shared<runtime::launcher>();
  system_ = std::make_unique<caf::actor_system>(*config_);
  entry_.set(system_->spawn(orchestrator, models_, files_, events_));
  auto setup = actors::prepare_node(options, {});
  REQUIRE(setup);
  auto tree = actors::node_tree(
    *setup, {options, entry_, launcher_, actors::make_inference_factory(), node_});
  auto started = runtime::start_supervisor(*system_, std::move(tree), 60'000);
  REQUIRE(started);
  root_ = *started;
}

void real_node::stop() {
  if (!system_)
    return;
  CHECK(runtime::stop_supervisor(*system_, root_, 60'000));
  root_ = nullptr;
  caf::anon_send_exit(entry_.get(), caf::exit_reason::kill);
  entry_.clear();
  system_.reset();
  launcher_.reset();
  config_.reset();
}

std::string real_node::send(const std::string& model, float value, std::int64_t rows) {
  actors::run_execution order;
  order.execution_id = "execution-" + std::to_string(++executions_);
  order.epoch = 1;
  order.model = model;
  order.version = "1";
  order.model_digest = models_.at(model).digest;
  order.inputs = {floats("x", {rows, 2}, std::vector<float>(std::size_t(rows) * 2, value))};
  order.required_memory = 0;
  order.time_left_ms = 300'000;
  auto id = order.execution_id;
  // As the real orchestrator: to the node that has joined, which its service names a moment later.
  auto node = events_->wait_node();
  REQUIRE(node);
  caf::anon_send(node, std::move(order));
  return id;
}

actors::execution_finished real_node::finish(const std::string& execution_id) {
  auto news = events_->wait_finished(execution_id);
  REQUIRE(news);
  return *news;
}

actors::execution_finished real_node::run(const std::string& model, float value,
                                          std::int64_t rows) {
  return finish(send(model, value, rows));
}

void real_node::crash(const std::string& actor_name) {
  for (auto& handle : config_->context->actors.handles()) {
    auto* actor = caf::actor_cast<caf::abstract_actor*>(handle);
    if (actor_name == dynamic_cast<caf::local_actor*>(actor)->name())
      caf::anon_send_exit(handle, caf::exit_reason::kill);
  }
}

void real_node::await_joins(int count) {
  REQUIRE(events_->wait_joins(count));
}

void real_node::await_started(const std::string& execution_id) {
  REQUIRE(events_->wait_started(execution_id));
}

std::vector<int> agent_pids() {
  std::vector<int> pids;
  for (auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::ifstream children{task.path() / "children"};
    for (int pid = 0; children >> pid;) {
      std::error_code gone;
      auto program =
        std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", gone);
      if (!gone && program.filename() == "dim-agent")
        pids.push_back(pid);
    }
  }
  return pids;
}

bool await_end(int pid) {
  auto descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (descriptor < 0)
    return errno == ESRCH;
  pollfd watched{descriptor, POLLIN, 0};
  auto ended =
    ::poll(&watched, 1, static_cast<int>(std::chrono::milliseconds{real_patience}.count()));
  ::close(descriptor);
  return ended == 1;
}

std::vector<float> numbers_of(const actors::execution_finished& news) {
  REQUIRE(news.outputs.size() == 1);
  return elements_of<float>(news.outputs[0]);
}

}  // namespace dim::tests
