#include "tests/cluster/local_cluster.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/cluster/failed_checks.hpp"

namespace dim::tests {

namespace {

using clock_type = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto poll_pause = milliseconds{10};

std::string name_of_node(std::size_t index) {
  return "node-" + std::to_string(index + 1);
}

}  // namespace

local_cluster::local_cluster(const cluster_shape& shape)
  : shape_(shape),
    failures_before_(failed_checks()),
    port_(unused_port()),
    cluster_port_(unused_port()) {
  auto pattern = (std::filesystem::temp_directory_path() / "dim-cluster-XXXXXX").string();
  folder_ = ::mkdtemp(pattern.data());
  start_orchestrator();
  if (shape_.has_own_gateway)
    start_gateway();
  nodes_.resize(shape_.nodes);
  for (std::size_t index = 0; index < shape_.nodes; ++index)
    start_node(index);
  wait_until("all nodes are online", [&] { return nodes_online() == shape_.nodes; });
}

local_cluster::local_cluster(std::size_t nodes, std::vector<std::string> flags)
  : local_cluster(cluster_shape{nodes, false, std::move(flags)}) {
}

local_cluster::~local_cluster() {
  nodes_.clear();
  gateway_ = process{};
  orchestrator_ = process{};
  if (failed_checks() != failures_before_) {
    std::cerr << "the cluster's logs are kept in " << folder_.string() << std::endl;
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

process local_cluster::start(const std::string& name, const std::string& roles,
                             std::vector<std::string> arguments) const {
  auto ports = folder_ / (name + "-ports.json");
  std::filesystem::remove(ports);
  arguments.insert(arguments.begin(),
                   {"--cluster.roles=" + roles, "--cluster.data_dir=" + (folder_ / name).string(),
                    "--cluster.port_file=" + ports.string()});
  auto place = shape_.place ? shape_.place(name, cluster_port_) : process_place{};
  if (place.orchestrators.empty())
    place.orchestrators = "127.0.0.1:" + std::to_string(cluster_port_);
  if (roles.find("orchestrator") == std::string::npos)
    arguments.push_back("--cluster.orchestrators=" + place.orchestrators);
  arguments.insert(arguments.end(), shape_.flags.begin(), shape_.flags.end());
  arguments.insert(arguments.end(), place.flags.begin(), place.flags.end());
  auto program = program_path("dimd");
  if (!place.prefix.empty()) {
    arguments.insert(arguments.begin(), program);
    arguments.insert(arguments.begin(), place.prefix.begin() + 1, place.prefix.end());
    program = place.prefix.front();
  }
  return process{program, arguments, folder_ / (name + ".log")};
}

void local_cluster::launch_orchestrator() {
  auto roles = shape_.has_own_gateway ? "orchestrator" : "orchestrator,gateway";
  orchestrator_ = start(
    "orchestrator", roles,
    {"--cluster.port=" + std::to_string(cluster_port_), "--gateway.port=" + std::to_string(port_)});
}

void local_cluster::launch_gateway() {
  gateway_ = start("gateway", "gateway", {"--gateway.port=" + std::to_string(port_)});
}

void local_cluster::start_orchestrator() {
  launch_orchestrator();
  await_ports("orchestrator", orchestrator_);
}

void local_cluster::start_gateway() {
  launch_gateway();
  await_ports("gateway", gateway_);
}

void local_cluster::start_node(std::size_t index) {
  auto name = name_of_node(index);
  nodes_.at(index) = start(
    name, "node",
    {"--node.cabinets_dir=" + (sample_folder() / "cabinets" / name).string(), "--node.name=" + name,
     "--node.owner=owner-" + std::to_string(index + 1), "--node.devices=cpu:0"});
}

void local_cluster::await_ports(const std::string& name, process& owner) const {
  wait_until(
    "the daemon listens",
    [&] {
      if (!owner.is_running())
        FAIL("the daemon ended at its start:\n", logs());
      return std::filesystem::exists(folder_ / (name + "-ports.json"));
    },
    std::chrono::minutes{2});
}

std::vector<child_process> local_cluster::agents_of(std::size_t index) const {
  auto result = children_of(nodes_.at(index).pid());
  std::erase_if(result, [](const child_process& child) {
    return child.command.find("dim-agent") == std::string::npos;
  });
  return result;
}

nlohmann::json local_cluster::node_entry(std::size_t index) const {
  auto answer = get("/api/v1/nodes");
  if (answer.status == 200)
    for (auto& node : answer.body.at("nodes"))
      if (node.at("name") == name_of_node(index))
        return node;
  return nullptr;
}

std::string local_cluster::node_id(std::size_t index) const {
  auto entry = node_entry(index);
  return entry.is_object() ? entry.at("id").get<std::string>() : std::string{};
}

void local_cluster::push_samples(const std::vector<std::string>& names) {
  for (auto& name : names) {
    auto model = sample_folder() / "models" / name;
    push(name, model / "1" / "model.pt", model / "config.toml");
  }
}

void local_cluster::push(const std::string& name, const std::filesystem::path& file,
                         const std::filesystem::path& config) {
  process push{program_path("dim"),
               {"--url", "http://127.0.0.1:" + std::to_string(port_), "push", name, file.string(),
                "--config", config.string()},
               folder_ / "push.log"};
  if (push.wait(std::chrono::seconds{60}) != 0)
    FAIL("could not push ", name, ":\n", tail_of(folder_ / "push.log", 2000));
}

reply local_cluster::get(const std::string& target) const {
  return caller{port_}.get(target);
}

reply local_cluster::post(const std::string& target, const nlohmann::json& body,
                          const std::string& key) const {
  return caller{port_}.post(target, body.dump(), key);
}

reply local_cluster::remove(const std::string& target) const {
  return caller{port_}.remove(target);
}

std::string local_cluster::submit(const nlohmann::json& job) const {
  auto answer = post("/api/v1/jobs", job);
  if (answer.status != 202)
    FAIL("not accepted: ", answer.status, " ", answer.body.dump(), "\n", logs());
  return answer.body.at("id").get<std::string>();
}

nlohmann::json local_cluster::finish(const std::string& id, milliseconds limit) const {
  nlohmann::json job;
  wait_until(
    "job " + id + " ends",
    [&] {
      auto answer = get("/api/v1/jobs/" + id + "?wait_ms=1000");
      job = answer.body;
      if (answer.status != 200)
        return false;
      return is_terminal(job.value("status", ""));
    },
    limit);
  return job;
}

std::string local_cluster::finish_state(const std::string& id, milliseconds limit) const {
  std::string status;
  wait_until(
    "job " + id + " ends",
    [&] {
      auto jobs = get("/api/v1/jobs?limit=1000").body;
      for (auto& job : jobs.at("jobs"))
        if (job.at("id") == id)
          status = job.at("status").get<std::string>();
      return is_terminal(status);
    },
    limit);
  return status;
}

void local_cluster::wait_until(const std::string& what, const std::function<bool()>& is_so,
                               milliseconds limit) const {
  auto end = clock_type::now() + limit;
  while (!is_so()) {
    if (clock_type::now() >= end)
      FAIL("waited in vain until ", what, "\n", logs());
    std::this_thread::sleep_for(poll_pause);
  }
}

std::size_t local_cluster::nodes_online() const {
  auto answer = get("/api/v1/nodes");
  std::size_t result = 0;
  if (answer.status == 200 && answer.body.contains("nodes"))
    for (auto& node : answer.body.at("nodes"))
      result += node.value("status", "") != "offline";
  return result;
}

nlohmann::json local_cluster::executions_of(const std::string& id) const {
  auto answer = get("/api/v1/jobs/" + id + "/executions");
  return answer.status == 200 ? answer.body.at("executions") : nlohmann::json::array();
}

std::size_t local_cluster::count_in_log(const std::string& name, const std::string& message) const {
  std::ifstream input{folder_ / (name + ".log")};
  std::size_t result = 0;
  for (std::string line; std::getline(input, line);)
    result += line.find("\"message\":\"" + message + "\"") != std::string::npos;
  return result;
}

std::string local_cluster::logs() const {
  std::string result;
  for (auto& entry : std::filesystem::directory_iterator{folder_})
    if (entry.path().extension() == ".log")
      result += "--- " + entry.path().filename().string() + "\n" + tail_of(entry.path(), 3000);
  return result;
}

bool is_terminal(const std::string& state) {
  return state == "completed" || state == "failed" || state == "cancelled";
}

std::uint16_t unused_port() {
  constexpr std::uint32_t first = 10'000;
  constexpr std::uint32_t end = 32'000;
  std::random_device source;
  for (;;) {
    auto port = static_cast<std::uint16_t>(first + source() % (end - first));
    auto socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    auto is_free = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    ::close(socket);
    if (is_free)
      return port;
  }
}

}  // namespace dim::tests
