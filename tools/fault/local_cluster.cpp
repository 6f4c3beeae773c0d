#include "tools/fault/local_cluster.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

#include "runtime/child_run.hpp"
#include "tools/fault/patient_client.hpp"

namespace dim::tools {

namespace {

using clock_type = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto start_patience = std::chrono::seconds{60};
constexpr auto poll_pause = milliseconds{20};
/// A daemon that nobody meant to end is started again after this.
constexpr std::int64_t restart_pause_ms = 500;
constexpr std::size_t log_tail_bytes = 2'000;

const std::vector<std::string>& sample_names() {
  static const std::vector<std::string> names{"digits-linear", "digits-mlp", "digits-cnn",
                                              "standardize", "risk"};
  return names;
}

std::string tail_of(const std::filesystem::path& file) {
  std::ifstream input{file};
  std::stringstream text;
  text << input.rdbuf();
  const auto all = text.str();
  return all.size() <= log_tail_bytes ? all : all.substr(all.size() - log_tail_bytes);
}

}  // namespace

struct local_cluster::daemon {
  /// "orchestrator" or "node/node-1".
  std::string name;
  /// Of its folder and its log.
  std::string file;
  bool is_running = false;
  /// When it is to be started again.
  clock_type::time_point due;
  std::optional<std::int64_t> restart_after_ms;
};

local_cluster::local_cluster(local_cluster_options options) : options_(std::move(options)) {
  programs_ = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  auto pattern = (std::filesystem::temp_directory_path() / "dim-faults-XXXXXX").string();
  if (::mkdtemp(pattern.data()) != nullptr)
    folder_ = pattern;
}

local_cluster::~local_cluster() {
  launcher_.reset();
  std::error_code ignored;
  if (!is_kept_ && !folder_.empty())
    std::filesystem::remove_all(folder_, ignored);
}

outcome<std::unique_ptr<local_cluster>> local_cluster::start(local_cluster_options options) {
  std::unique_ptr<local_cluster> result{new local_cluster{std::move(options)}};
  if (result->folder_.empty())
    return fail(exit_status::failed, "can not make a temporary folder");
  if (auto started = result->start_all(); !started)
    return tl::unexpected(started.error());
  return result;
}

outcome<void> local_cluster::start_all() {
  if (auto made = prepare_samples(); !made)
    return made;
  launcher_ = std::make_unique<runtime::launcher>();
  daemons_.push_back(std::make_unique<daemon>(daemon{"orchestrator", "orchestrator", {}, {}, {}}));
  launch(*daemons_.front());
  if (auto up = await_ports(); !up)
    return up;
  for (std::uint32_t number = 1; number <= options_.nodes; ++number) {
    const auto name = "node-" + std::to_string(number);
    daemons_.push_back(std::make_unique<daemon>(daemon{"node/" + name, name, {}, {}, {}}));
    launch(*daemons_.back());
  }
  if (auto pushed = push_models(); !pushed)
    return pushed;
  return await_nodes();
}

outcome<void> local_cluster::prepare_samples() {
  if (!options_.samples.empty())
    return {};
  options_.samples = (folder_ / "samples").string();
  runtime::child_run make;
  make.program = (programs_ / "sample-models").string();
  make.arguments = {"--out", options_.samples};
  const auto made = runtime::run_to_end(make);
  if (!made || !made->succeeded())
    return fail(exit_status::failed, "sample-models did not make the sample models",
                {made ? made->error_text : made.error().message});
  return {};
}

std::vector<std::string> local_cluster::arguments_of(const daemon& which) const {
  const auto is_first = which.name == "orchestrator";
  std::vector<std::string> result{
    "--cluster.data_dir=" + (folder_ / which.file).string(),
    "--cluster.port_file=" + (folder_ / (which.file + ".json")).string(),
    "--log.file=" + (folder_ / (which.file + ".log")).string(),
    std::string{"--faults.enabled="} + (options_.has_faults ? "true" : "false")};
  if (is_first) {
    result.insert(result.end(), {"--cluster.roles=orchestrator,gateway",
                                 "--cluster.port=" + std::to_string(cluster_port_),
                                 "--gateway.port=" + std::to_string(gateway_port_)});
  } else {
    result.insert(
      result.end(),
      {"--cluster.roles=node", "--cluster.orchestrators=127.0.0.1:" + std::to_string(cluster_port_),
       "--node.name=" + which.file, "--node.devices=cpu:0",
       "--node.cabinets_dir=" + options_.samples + "/cabinets/" + which.file});
  }
  for (const auto& setting : options_.settings)
    result.push_back("--" + setting);
  return result;
}

void local_cluster::launch(daemon& which) {
  runtime::process_spec spec;
  spec.program = (programs_ / "dimd").string();
  spec.arguments = arguments_of(which);
  {
    std::lock_guard guard{mutex_};
    which.is_running = true;
  }
  launcher_->start(spec, {nullptr, [this, &which](const runtime::process_end&) {
                            std::lock_guard guard{mutex_};
                            const auto pause = which.restart_after_ms.value_or(restart_pause_ms);
                            which.restart_after_ms.reset();
                            which.is_running = false;
                            which.due = clock_type::now() + milliseconds{pause};
                          }});
}

void local_cluster::expect_end(const std::string& name, std::int64_t after_ms) {
  std::lock_guard guard{mutex_};
  for (auto& each : daemons_)
    if (each->name == name && after_ms > 0)
      each->restart_after_ms = after_ms;
}

void local_cluster::keep_running() {
  for (auto& each : daemons_) {
    {
      std::lock_guard guard{mutex_};
      if (each->is_running || clock_type::now() < each->due)
        continue;
    }
    launch(*each);
  }
}

outcome<void> local_cluster::await_ports() {
  const auto end = clock_type::now() + start_patience;
  while (clock_type::now() < end) {
    std::ifstream input{folder_ / "orchestrator.json"};
    const auto ports = json::parse(input, nullptr, false);
    gateway_port_ = static_cast<std::uint16_t>(number_at(ports, "gateway"));
    cluster_port_ = static_cast<std::uint16_t>(number_at(ports, "cluster"));
    if (gateway_port_ != 0)
      return {};
    std::this_thread::sleep_for(poll_pause);
  }
  return tl::unexpected(failure("the orchestrator did not start"));
}

outcome<void> local_cluster::push_models() {
  for (const auto& name : sample_names()) {
    const auto model = std::filesystem::path{options_.samples} / "models" / name;
    runtime::child_run push;
    push.program = (programs_ / "dim").string();
    push.arguments = {"--url",
                      url(),
                      "push",
                      name,
                      (model / "1" / "model.pt").string(),
                      "--config",
                      (model / "config.toml").string()};
    const auto pushed = runtime::run_to_end(push);
    if (!pushed || !pushed->succeeded())
      return fail(exit_status::failed, "could not push the sample model " + name,
                  {pushed ? pushed->error_text : pushed.error().message});
  }
  return {};
}

outcome<void> local_cluster::await_nodes() {
  patient_client gateway{*parse_address(url())};
  const auto end = clock_type::now() + start_patience;
  while (clock_type::now() < end) {
    const auto nodes = list_at(gateway.get("/api/v1/nodes").body, "nodes");
    const auto online = std::count_if(nodes.begin(), nodes.end(), [](const auto& each) {
      return text_at(each, "status") != "offline";
    });
    const auto is_seen =
      !options_.has_faults
      || list_at(gateway.get("/api/v1/faults").body, "processes").size() > options_.nodes;
    if (online == options_.nodes && is_seen)
      return {};
    std::this_thread::sleep_for(poll_pause);
  }
  return tl::unexpected(failure("the nodes did not join"));
}

std::string local_cluster::url() const {
  return "http://127.0.0.1:" + std::to_string(gateway_port_);
}

command_failure local_cluster::failure(const std::string& what) const {
  command_failure result{exit_status::failed, what, "", {}};
  for (const auto& each : daemons_)
    result.details.push_back(each->name + ": " + tail_of(folder_ / (each->file + ".log")));
  return result;
}

}  // namespace dim::tools
