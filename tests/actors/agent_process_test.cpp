// Real dim-agent processes under a real node: what they serve, and every way in which they die.
#include <doctest/doctest.h>

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/child_run.hpp"
#include "tests/actors/real_node.hpp"
#include "tests/models/script_file.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/file_size_limit.hpp"

using namespace dim;
using runtime::error_code;
using tests::real_node;

namespace {

/// Doubles its input.
constexpr auto twice = "def forward(self, x):\n    return x * 2\n";

// Each loop below leaves something that is used: LibTorch removes the others.

/// Doubles its input, and never ends for one that holds a positive number.
constexpr auto hangs = R"(
def forward(self, x):
    while bool((x > 0).any()):
        x = x + 0.5
    return x * 2
)";

/// Doubles its input, and gathers memory for ever for one that holds a positive number.
constexpr auto swells = R"(
def forward(self, x):
    kept = [x]
    while bool((x > 0).any()):
        kept.append(torch.ones([1024, 1024, 4]))
    return x * (len(kept) + 1)
)";

/// Says something on standard error, and then never ends for a positive number.
constexpr auto warns = R"(
def forward(self, x):
    if bool((x > 0).any()):
        torch.warn("these are its last words", 1)
    while bool((x > 0).any()):
        x = x + 0.5
    return x * 2
)";

int only_agent() {
  auto pids = tests::agent_pids();
  REQUIRE(pids.size() == 1);
  return pids[0];
}

std::string text_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Starts the node, whose process answers without shared memory.
void check_link_alone(real_node& node) {
  node.start();
  auto first = node.run("twice", 1.5f, 3);
  INFO(first.error.message << first.logs);
  REQUIRE(first.error.code == error_code::none);
  CHECK(tests::numbers_of(first) == std::vector<float>(6, 3.0f));
  CHECK(text_of("/proc/" + std::to_string(only_agent()) + "/cmdline").find("--channel") ==
        std::string::npos);
}

runtime::child_end run_agent(const std::vector<std::string>& arguments) {
  auto end = runtime::run_to_end(
    {std::string{DIM_BINARY_DIR} + "/bin/dim-agent", arguments, tests::real_patience});
  REQUIRE(end);
  return *end;
}

}  // namespace

TEST_CASE("a dim-agent process serves a TorchScript model on its cores, for many requests") {
  real_node node;
  node.add_script("twice", twice);
  node.start();
  auto first = node.run("twice", 1.5f, 3);
  INFO(first.error.message << first.logs);
  REQUIRE(first.error.code == error_code::none);
  CHECK(tests::numbers_of(first) == std::vector<float>(6, 3.0f));
  CHECK(first.rows == 3);
  CHECK(first.device == "cpu:0");
  CHECK(first.forward_us > 0);
  auto agent = only_agent();
  cpu_set_t cores;
  REQUIRE(sched_getaffinity(agent, sizeof cores, &cores) == 0);
  CHECK(CPU_COUNT(&cores) == 1);
  CHECK(CPU_ISSET(0, &cores));
  // Other users of the machine see the arguments of every process.
  CHECK(text_of("/proc/" + std::to_string(agent) + "/cmdline").find("twice:1") !=
        std::string::npos);
  CHECK(text_of("/proc/" + std::to_string(agent) + "/cmdline").find("TOKEN") == std::string::npos);

  std::vector<std::string> ids;
  for (int number = 0; number < 20; ++number)
    ids.push_back(node.send("twice", float(number)));
  for (int number = 0; number < 20; ++number)
    CHECK(tests::numbers_of(node.finish(ids[std::size_t(number)])) ==
          std::vector<float>(2, 2.0f * float(number)));
  CHECK(only_agent() == agent);
  node.stop();
  CHECK(tests::await_end(agent));
}

TEST_CASE("a dim-agent process serves over the link as well, where the configuration says so") {
  real_node node;
  node.options.agent.transport = "socket";
  node.add_script("twice", twice);
  check_link_alone(node);
}

TEST_CASE("a dim-agent process is asked over the link where there is no memory to share") {
  real_node node;
  node.add_script("twice", twice);
  tests::file_size_limit limit{1 << 20};
  check_link_alone(node);
}

TEST_CASE("batches go through memory that a dim-agent process shares with its node, and no other "
          "descriptor does") {
  real_node node;
  node.add_script("twice", twice);
  node.start();
  auto first = node.run("twice", 2.5f);
  INFO(first.error.message << first.logs);
  REQUIRE(first.error.code == error_code::none);
  CHECK(tests::numbers_of(first) == std::vector<float>(2, 5.0f));
  auto folder = "/proc/" + std::to_string(only_agent()) + "/fd/";
  auto leads_to = [&folder](int number) {
    return std::filesystem::read_symlink(folder + std::to_string(number)).string();
  };
  CHECK(leads_to(3).find("dim-channel") != std::string::npos);
  CHECK(leads_to(4).find("eventfd") != std::string::npos);
  CHECK(leads_to(5).find("eventfd") != std::string::npos);
}

TEST_CASE("a forward that hangs is killed at the agent timeout, and the next request is served") {
  real_node node;
  node.options.agent.timeout_ms = 1'000;
  node.add_script("hangs", hangs);
  node.start();
  auto hung = node.run("hangs", 1.0f);
  CHECK(hung.error.code == error_code::agent_timeout);
  CHECK(hung.killed_agent);
  CHECK(hung.logs.find("1000 ms") != std::string::npos);
  CHECK(tests::numbers_of(node.run("hangs", -1.0f)) == std::vector<float>{-2.0f, -2.0f});
}

TEST_CASE("a process beyond its memory limit is killed, and says so") {
  real_node node;
  node.options.agent.memory_bytes = 400ull << 20;
  node.add_script("swells", swells);
  node.start();
  auto swollen = node.run("swells", 1.0f);
  CHECK(swollen.error.code == error_code::memory_limit);
  CHECK(swollen.killed_agent);
  CHECK(node.run("swells", -1.0f).error.code == error_code::none);
}

TEST_CASE("a process that is killed from outside is told with its signal, and others are served") {
  real_node node;
  node.add_script("warns", warns);
  node.start();
  auto id = node.send("warns", 1.0f);
  node.await_started(id);
  auto agent = only_agent();
  auto waits = node.send("warns", -1.0f);
  REQUIRE(::kill(agent, SIGKILL) == 0);
  auto killed = node.finish(id);
  CHECK(killed.error.code == error_code::agent_lost);
  CHECK(killed.killed_agent);
  CHECK(killed.logs.find("signal 9") != std::string::npos);
  CHECK(node.finish(waits).error.code == error_code::none);
}

TEST_CASE("the end of a dead agent's standard error is in the record") {
  real_node node;
  node.options.agent.timeout_ms = 2'000;
  node.add_script("warns", warns);
  node.start();
  auto hung = node.run("warns", 1.0f);
  CHECK(hung.error.code == error_code::agent_timeout);
  CHECK(hung.logs.find("these are its last words") != std::string::npos);
}

TEST_CASE("an agent without work is ended, and started again when there is some") {
  real_node node;
  node.options.agent.idle_ms = 500;
  node.add_script("twice", twice);
  node.start();
  CHECK(node.run("twice", 1.0f).error.code == error_code::none);
  auto pids = tests::agent_pids();
  for (auto pid : pids)
    CHECK(tests::await_end(pid));
  CHECK(node.run("twice", 1.0f).error.code == error_code::none);
}

TEST_CASE("a model with thread isolation runs inside the node's process") {
  real_node node;
  node.add_script("twice", twice, models::isolation::thread);
  node.start();
  CHECK(tests::numbers_of(node.run("twice", 4.0f)) == std::vector<float>{8.0f, 8.0f});
  CHECK(tests::agent_pids().empty());
}

TEST_CASE("a thread that takes too long is left behind, and another one serves") {
  real_node node;
  node.options.agent.timeout_ms = 300;
  node.add_script("slow", R"(
def forward(self, x):
    if bool((x > 0).any()):
        for i in range(1000000):
            x = x + 0.5
    return x * 2
)",
                  models::isolation::thread);
  node.start();
  CHECK(node.run("slow", 1.0f).error.code == error_code::agent_timeout);
  CHECK(tests::numbers_of(node.run("slow", -1.0f)) == std::vector<float>{-2.0f, -2.0f});
}

TEST_CASE("when one of a node's actors crashes all start again, and the node goes on") {
  real_node node;
  node.add_script("twice", twice);
  node.start();
  REQUIRE(node.run("twice", 1.0f).error.code == error_code::none);
  auto agent = only_agent();
  node.crash("DEVICE");
  CHECK(tests::await_end(agent));
  node.await_joins(2);
  CHECK(node.run("twice", 1.0f).error.code == error_code::none);
}

TEST_CASE("a process without the right token is turned away") {
  real_node node;
  node.add_script("twice", twice);
  node.start();
  REQUIRE(node.run("twice", 1.0f).error.code == error_code::none);
  auto command = text_of("/proc/" + std::to_string(only_agent()) + "/cmdline");
  auto address = command.find("127.0.0.1:");
  REQUIRE(address != std::string::npos);
  auto stranger = run_agent({"--connect", command.c_str() + address});
  CHECK(stranger.status == 1);
  CHECK(stranger.error_text.find("nobody expects an agent with this token") !=
        std::string::npos);
}

TEST_CASE("a file that is no TorchScript model is refused with the reason, without a second try") {
  real_node node;
  tests::write_file(node.folder / "text.pt", "this is a text");
  auto spec = tests::simple_spec(2, 2, 8);
  spec.name = "text";
  node.add_model(spec, node.folder / "text.pt");
  node.start();
  auto refused = node.run("text", 1.0f);
  CHECK(refused.error.code == error_code::bad_model);
  CHECK_FALSE(refused.error.message.empty());
  CHECK_FALSE(refused.killed_agent);
}

TEST_CASE("what LibTorch says about a failing forward reaches whoever asked") {
  real_node node;
  node.add_script("raises", R"(
def forward(self, x):
    assert not bool((x > 0).any()), "positive numbers are not liked"
    return x * 2
)");
  node.start();
  auto failed = node.run("raises", 1.0f);
  CHECK(failed.error.code == error_code::internal);
  CHECK(failed.error.message.find("positive numbers are not liked") != std::string::npos);
  CHECK_FALSE(failed.killed_agent);
  CHECK(node.run("raises", 0.0f).error.code == error_code::none);
}

// Run by the next test in a process of its own, which is then killed.
TEST_CASE("helper: a node with one agent tells both process ids and waits" * doctest::skip()) {
  real_node node;
  node.add_script("twice", twice);
  node.start();
  REQUIRE(node.run("twice", 1.0f).error.code == error_code::none);
  std::printf("ids: %d %d\n", ::getpid(), only_agent());
  std::fflush(stdout);
  for (;;)
    ::pause();
}

TEST_CASE("an agent process dies with its node, even when that is killed") {
  auto self = std::filesystem::read_symlink("/proc/self/exe").string();
  auto command = "exec '" + self + "' --no-skip -tc='helper: a node with one agent*' 2>&1";
  auto* output = ::popen(command.c_str(), "r");
  REQUIRE(output != nullptr);
  int node = 0;
  int agent = 0;
  for (char line[512]; agent == 0 && std::fgets(line, sizeof line, output) != nullptr;)
    std::sscanf(line, "ids: %d %d", &node, &agent);
  REQUIRE(agent != 0);
  REQUIRE(::kill(agent, 0) == 0);
  REQUIRE(::kill(node, SIGKILL) == 0);
  CHECK(tests::await_end(agent));
  ::pclose(output);
}

TEST_CASE("a model with two instances has two processes, and one dies without the other") {
  real_node node;
  node.options.agent.timeout_ms = 8'000;
  node.add_script("hangs", hangs, models::isolation::process, 2);
  node.start();
  auto hung = node.send("hangs", 1.0f);
  node.await_started(hung);
  // Only the other one can answer this.
  CHECK(tests::numbers_of(node.run("hangs", -3.0f)) == std::vector<float>{-6.0f, -6.0f});
  auto pids = tests::agent_pids();
  REQUIRE(pids.size() == 2);
  auto end = node.finish(hung);
  CHECK(end.error.code == error_code::agent_timeout);
  CHECK(end.killed_agent);
  auto is_gone = [](int pid) { return ::kill(pid, 0) != 0; };
  CHECK(std::count_if(pids.begin(), pids.end(), is_gone) == 1);
  CHECK(tests::numbers_of(node.run("hangs", -5.0f)) == std::vector<float>{-10.0f, -10.0f});
  CHECK(std::count_if(pids.begin(), pids.end(), is_gone) == 1);
  node.stop();
  for (auto pid : pids)
    CHECK(tests::await_end(pid));
}

TEST_CASE("dim-agent verifies models for programs without LibTorch") {
  tests::temporary_folder folder;
  tests::write_file(folder / "config.toml", models::to_toml(tests::simple_spec(2, 2, 8)));
  tests::write_script(folder / "good.pt", twice);
  tests::write_script(folder / "bad.pt", "def forward(self, x, y):\n    return x * 2\n");
  auto good = run_agent({"--verify", folder / "good.pt", "--spec", folder / "config.toml"});
  CHECK(good.succeeded());
  auto bad = run_agent({"--verify", folder / "bad.pt", "--spec", folder / "config.toml"});
  CHECK(bad.status == 1);
  CHECK(bad.error_text.find("dim-agent: ") == 0);
  auto absent = run_agent({"--verify", folder / "absent.pt", "--spec", folder / "config.toml"});
  CHECK(absent.status == 1);
}

TEST_CASE("dim-agent ends by itself when there is no node, and when it is used wrongly") {
  // Port 1 is never listened on by a user's program.
  CHECK(run_agent({"--connect", "127.0.0.1:1", "--dial-timeout-ms", "5000"}).status == 1);
  CHECK(run_agent({"--connect", "nowhere"}).status == 1);
  CHECK(run_agent({}).status == 2);
  CHECK(run_agent({"--unknown"}).status == 2);
  tests::temporary_folder folder;
  CHECK(run_agent({"--describe-devices", "--output", folder / "devices"}).succeeded());
  CHECK(std::filesystem::exists(folder / "devices"));
}
