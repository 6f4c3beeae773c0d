#include "tests/cluster/network_namespace.hpp"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace dim::tests {

namespace {

constexpr auto start_limit = std::chrono::seconds{10};
constexpr auto enter_program = "/usr/bin/nsenter";
constexpr auto leave_program = "/usr/bin/unshare";

bool succeeds(const std::string& command) {
  return std::system((command + " 2>/dev/null").c_str()) == 0;
}

void run(const std::string& command) {
  if (std::system(command.c_str()) != 0)
    throw std::runtime_error("can not: " + command);
}

std::string network_of(std::int64_t pid) {
  std::error_code gone;
  auto path = "/proc/" + std::to_string(pid) + "/ns/net";
  return std::filesystem::read_symlink(path, gone).string();
}

std::string why_no_private_network() {
  for (auto program : {enter_program, leave_program})
    if (!std::filesystem::exists(program))
      return std::string{program} + " is missing";
  if (!succeeds("ip -V >/dev/null"))
    return "the program ip is missing";
  if (::unshare(CLONE_NEWNET) != 0)
    return "network namespaces are not permitted: " + std::generic_category().message(errno);
  if (!succeeds("ip link set lo up") || !succeeds("ip link add probe type veth peer name probe2")
      || !succeeds("ip link del probe"))
    return "virtual cables are not permitted";
  return {};
}

}  // namespace

std::string enter_private_network() {
  static const std::string reason = why_no_private_network();
  return reason;
}

network_namespace::network_namespace(int number)
  : number_(number),
    cable_("cable" + std::to_string(number)),
    holder_(leave_program, {"--net", "/bin/sleep", "infinity"}, "/dev/null") {
  auto end = std::chrono::steady_clock::now() + start_limit;
  while (network_of(holder_.pid()) == network_of(::getpid())
         && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  auto far = cable_ + "f";
  auto inside = std::string{enter_program} + " --net=/proc/" + std::to_string(holder_.pid())
                + "/ns/net ip ";
  run("ip link add " + cable_ + " type veth peer name " + far);
  run("ip link set " + far + " netns " + std::to_string(holder_.pid()));
  run("ip addr add " + near_address() + "/24 dev " + cable_);
  run("ip link set " + cable_ + " up");
  run(inside + "addr add " + far_address() + "/24 dev " + far);
  run(inside + "link set lo up");
  run(inside + "link set " + far + " up");
  run(inside + "route add default via " + near_address());
}

std::vector<std::string> network_namespace::prefix() const {
  return {enter_program, "--net=/proc/" + std::to_string(holder_.pid()) + "/ns/net", "--"};
}

std::string network_namespace::near_address() const {
  return "10.77." + std::to_string(number_) + ".1";
}

std::string network_namespace::far_address() const {
  return "10.77." + std::to_string(number_) + ".2";
}

void network_namespace::cut() const {
  run("ip link set " + cable_ + " down");
}

void network_namespace::heal() const {
  run("ip link set " + cable_ + " up");
}

void network_namespace::add_near_address(const std::string& address) const {
  run("ip addr add " + address + "/24 dev " + cable_);
}

}  // namespace dim::tests
