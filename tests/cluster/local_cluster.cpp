#include "tests/cluster/local_cluster.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

namespace dim::tests {

namespace {

using clock_type = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto poll_pause = milliseconds{10};

std::string binary(const std::string& name) {
  return std::string{DIM_BINARY_DIR} + "/bin/" + name;
}

std::string read_tail(const std::filesystem::path& file, std::size_t size) {
  std::ifstream input{file};
  std::stringstream text;
  text << input.rdbuf();
  auto result = text.str();
  return result.size() <= size ? result : result.substr(result.size() - size);
}

}  // namespace

process::process(const std::string& program, const std::vector<std::string>& arguments,
                 const std::filesystem::path& log) {
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (auto& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  auto output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  auto child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::execv(program.c_str(), pointers.data());
    ::_exit(127);
  }
  ::close(output);
  pid_ = child;
}

process::process(process&& other) noexcept
  : pid_(std::exchange(other.pid_, 0)), status_(std::exchange(other.status_, std::nullopt)) {
}

process& process::operator=(process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(status_, other.status_);
  return *this;
}

process::~process() {
  if (pid_ > 0 && !status_) {
    ::kill(static_cast<pid_t>(pid_), SIGKILL);
    wait(std::chrono::seconds{10});
  }
}

bool process::is_running() {
  return pid_ > 0 && !wait(milliseconds{0});
}

void process::signal(int number) const {
  if (pid_ > 0 && !status_)
    ::kill(static_cast<pid_t>(pid_), number);
}

std::optional<int> process::wait(milliseconds limit) {
  auto end = clock_type::now() + limit;
  while (!status_) {
    int status = 0;
    auto ended = ::waitpid(static_cast<pid_t>(pid_), &status, WNOHANG);
    if (ended == pid_)
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    else if (ended < 0)
      status_ = -1;
    else if (clock_type::now() >= end)
      return std::nullopt;
    else
      std::this_thread::sleep_for(poll_pause);
  }
  return status_;
}

local_cluster::local_cluster(std::size_t nodes, std::vector<std::string> flags)
  : flags_(std::move(flags)) {
  auto pattern = (std::filesystem::temp_directory_path() / "dim-cluster-XXXXXX").string();
  folder_ = ::mkdtemp(pattern.data());
  start_orchestrator();
  nodes_.resize(nodes);
  for (std::size_t index = 0; index < nodes; ++index)
    start_node(index);
  wait_until("all nodes are online", [&] { return nodes_online() == nodes; });
}

local_cluster::~local_cluster() {
  nodes_.clear();
  orchestrator_ = process{};
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void local_cluster::start_orchestrator() {
  auto data = folder_ / "orchestrator";
  auto file = folder_ / "orchestrator-ports.json";
  std::filesystem::remove(file);
  std::vector<std::string> arguments{
    "--cluster.roles=orchestrator,gateway", "--cluster.data_dir=" + data.string(),
    "--cluster.port_file=" + file.string(), "--cluster.port=" + std::to_string(cluster_port_),
    "--gateway.port=" + std::to_string(port_)};
  arguments.insert(arguments.end(), flags_.begin(), flags_.end());
  orchestrator_ = process{binary("dimd"), arguments, folder_ / "orchestrator.log"};
  auto ports = ports_of(file, orchestrator_);
  port_ = ports.at("gateway").get<std::uint16_t>();
  cluster_port_ = ports.at("cluster").get<std::uint16_t>();
}

void local_cluster::start_node(std::size_t index) {
  auto name = "node-" + std::to_string(index + 1);
  std::vector<std::string> arguments{
    "--cluster.roles=node",
    "--cluster.data_dir=" + (folder_ / name).string(),
    "--cluster.orchestrators=127.0.0.1:" + std::to_string(cluster_port_),
    "--node.cabinets_dir=" + (sample_folder() / "cabinets" / name).string(),
    "--node.name=" + name,
    "--node.owner=owner-" + std::to_string(index + 1),
    "--node.devices=cpu:0"};
  arguments.insert(arguments.end(), flags_.begin(), flags_.end());
  nodes_.at(index) = process{binary("dimd"), arguments, folder_ / (name + ".log")};
}

nlohmann::json local_cluster::ports_of(const std::filesystem::path& file, process& owner) const {
  nlohmann::json result;
  wait_until("the daemon listens", [&] {
    if (!owner.is_running())
      FAIL("the daemon ended at its start:\n", logs());
    std::ifstream input{file};
    result = nlohmann::json::parse(input, nullptr, false);
    return result.is_object() && result.contains("cluster");
  });
  return result;
}

void local_cluster::push_samples(const std::vector<std::string>& names) {
  for (auto& name : names) {
    auto model = sample_folder() / "models" / name;
    push(name, model / "1" / "model.pt", model / "config.toml");
  }
}

void local_cluster::push(const std::string& name, const std::filesystem::path& file,
                         const std::filesystem::path& config) {
  process push{binary("dim"),
               {"--url", "http://127.0.0.1:" + std::to_string(port_), "push", name, file.string(),
                "--config", config.string()},
               folder_ / "push.log"};
  if (push.wait(std::chrono::seconds{60}) != 0)
    FAIL("could not push ", name, ":\n", read_tail(folder_ / "push.log", 2000));
}

local_cluster::reply local_cluster::get(const std::string& target) const {
  auto answer = tools::ask_once("127.0.0.1", port_, tools::http_request("GET", target));
  return {answer.status, nlohmann::json::parse(answer.body, nullptr, false)};
}

local_cluster::reply local_cluster::post(const std::string& target, const nlohmann::json& body,
                                         const std::string& headers) const {
  auto answer =
    tools::ask_once("127.0.0.1", port_, tools::http_request("POST", target, body.dump(), headers));
  return {answer.status, nlohmann::json::parse(answer.body, nullptr, false)};
}

local_cluster::reply local_cluster::remove(const std::string& target) const {
  auto answer = tools::ask_once("127.0.0.1", port_, tools::http_request("DELETE", target));
  return {answer.status, nlohmann::json::parse(answer.body, nullptr, false)};
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
      auto status = job.value("status", "");
      return status == "completed" || status == "failed" || status == "cancelled";
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
      return status == "completed" || status == "failed" || status == "cancelled";
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

std::string local_cluster::logs() const {
  std::string result;
  for (auto& entry : std::filesystem::directory_iterator{folder_})
    if (entry.path().extension() == ".log")
      result += "--- " + entry.path().filename().string() + "\n" + read_tail(entry.path(), 3000);
  return result;
}

nlohmann::json digit_input(const std::vector<double>& pixels) {
  return {{"name", "x"}, {"datatype", "FP32"}, {"shape", {1, pixels.size()}}, {"data", pixels}};
}

std::filesystem::path sample_folder() {
  static const std::filesystem::path folder = [] {
    std::filesystem::path result = std::string{DIM_BINARY_DIR} + "/samples";
    if (std::filesystem::exists(result / "samples" / "digits.json"))
      return result;
    auto log = std::filesystem::temp_directory_path() / "dim-sample-models.log";
    process make{binary("sample-models"), {"--out", result.string()}, log};
    if (make.wait(std::chrono::minutes{5}) != 0)
      FAIL("could not make the sample models:\n", read_tail(log, 2000));
    return result;
  }();
  return folder;
}

const std::vector<digit>& sample_digits() {
  static const std::vector<digit> digits = [] {
    std::ifstream input{sample_folder() / "samples" / "digits.json"};
    std::vector<digit> result;
    auto parsed = nlohmann::json::parse(input);
    for (auto& one : parsed.at("digits"))
      result.push_back({one.at("x").get<std::vector<double>>(), one.at("label").get<int>()});
    return result;
  }();
  return digits;
}

}  // namespace dim::tests
