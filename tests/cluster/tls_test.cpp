// Clusters of real processes whose links are mutual TLS, and those who should not get in.
#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <csignal>
#include <fstream>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/cluster/tls_cluster.hpp"

using namespace dim;
using namespace dim::tests;
using nlohmann::json;

namespace {

/// An address of this machine that is not loopback; 127.0.0.1 where there is none.
std::string outer_address() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0)
    return "127.0.0.1";
  std::string result = "127.0.0.1";
  for (auto* each = all; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET
        || (each->ifa_flags & IFF_LOOPBACK) != 0 || (each->ifa_flags & IFF_UP) == 0)
      continue;
    char text[INET_ADDRSTRLEN] = {};
    auto* address = &reinterpret_cast<sockaddr_in*>(each->ifa_addr)->sin_addr;
    ::inet_ntop(AF_INET, address, text, sizeof(text));
    result = text;
    break;
  }
  ::freeifaddrs(all);
  return result;
}

/// Every process with a certificate of its own; the orchestrator listens on `bind`.
cluster_shape tls_shape(const certificate_files& files, const std::string& bind) {
  cluster_shape shape;
  shape.place = [&files, bind](const std::string& name, std::uint16_t port) {
    process_place place;
    place.flags = tls_flags(files.issue(name));
    if (name == "orchestrator")
      place.flags.push_back("--cluster.bind=" + bind);
    place.orchestrators = bind + ":" + std::to_string(port);
    return place;
  };
  return shape;
}

/// A daemon that is expected to end at once; what it wrote.
struct failed_start {
  explicit failed_start(std::vector<std::string> flags) {
    flags.push_back("--cluster.data_dir=" + (folder / "data").string());
    process dimd{program_path("dimd"), flags, folder / "log"};
    status = dimd.wait(std::chrono::seconds{20});
    text = tail_of(folder / "log", 20'000);
  }
  bool says(const std::string& words) const {
    return text.find(words) != std::string::npos;
  }

  temporary_folder folder;
  std::optional<int> status;
  std::string text;
};

std::uint64_t resident_kib(std::int64_t pid) {
  std::ifstream status{"/proc/" + std::to_string(pid) + "/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:"))
      return std::stoull(line.substr(6));
  return 0;
}

std::size_t open_files(std::int64_t pid) {
  std::filesystem::directory_iterator all{"/proc/" + std::to_string(pid) + "/fd"};
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// A TCP connection to the cluster's port.
struct stranger {
  explicit stranger(std::uint16_t port) : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
    timeval limit{30, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }
  stranger(const stranger&) = delete;
  stranger& operator=(const stranger&) = delete;
  ~stranger() {
    ::close(socket);
  }
  void send(const std::string& bytes) const {
    ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  /// Waits until the daemon has closed it.
  bool is_closed() const {
    char bytes[4096];
    auto got = ::recv(socket, bytes, sizeof(bytes), 0);
    while (got > 0)
      got = ::recv(socket, bytes, sizeof(bytes), 0);
    return got == 0 || errno == ECONNRESET;
  }

  int socket;
};

}  // namespace

TEST_CASE("every pattern runs over TLS between four processes, and a killed node joins again") {
  certificate_files files;
  auto address = outer_address();
  MESSAGE("the orchestrator listens on ", address);
  auto shape = tls_shape(files, address);
  shape.nodes = 2;
  shape.has_own_gateway = true;
  local_cluster cluster{shape};
  cluster.push_samples(pattern_models());
  for (auto& job : job_of_each_pattern()) {
    auto done = cluster.finish(cluster.submit(job));
    CAPTURE(job["pattern"]);
    CAPTURE(done.value("error", json{}).dump());
    CHECK(done["status"] == "completed");
  }
  cluster.node(0).kill();
  cluster.wait_until("the dead node is offline", [&] { return cluster.nodes_online() == 1; });
  cluster.start_node(0);
  cluster.wait_until("it is back", [&] { return cluster.nodes_online() == 2; });
  auto again = job_of_each_pattern()[1];
  CHECK(cluster.finish(cluster.submit(again))["status"] == "completed");
  cluster.orchestrator().kill();
  cluster.start_orchestrator();
  cluster.wait_until("all have found the orchestrator again",
                     [&] { return cluster.nodes_online() == 2; });
  CHECK(cluster.finish(cluster.submit(again))["status"] == "completed");
}

TEST_CASE("a node with a certificate of another cluster or with none is refused, and the cluster "
          "goes on") {
  certificate_files files;
  certificate_files others{"other"};
  auto flags_of_last = tls_flags(others.issue("foreign"));
  auto shape = tls_shape(files, "127.0.0.1");
  auto usual = shape.place;
  auto is_foreign = false;
  shape.place = [&](const std::string& name, std::uint16_t port) {
    auto place = usual(name, port);
    if (name == "node-2" && is_foreign)
      place.flags = flags_of_last;
    return place;
  };
  shape.nodes = 2;
  local_cluster cluster{shape};
  cluster.push_samples({"digits-mlp"});
  is_foreign = true;
  for (auto& flags : {flags_of_last, std::vector<std::string>{}}) {
    flags_of_last = flags;
    cluster.node(1).kill();
    cluster.wait_until("the node is offline", [&] { return cluster.nodes_online() == 1; });
    auto before = cluster.count_in_log("orchestrator", "refused a connection");
    cluster.start_node(1);
    cluster.wait_until("two dials are refused", [&] {
      return cluster.count_in_log("orchestrator", "refused a connection") >= before + 2;
    });
    CHECK(cluster.nodes_online() == 1);
    CHECK(cluster.finish(cluster.submit(small_job()))["status"] == "completed");
  }
  auto log = tail_of(cluster.folder() / "orchestrator.log", 100'000);
  CHECK(log.find("another authority has signed it") != std::string::npos);
  auto log_of_foreign = tail_of(cluster.folder() / "node-2.log", 100'000);
  CHECK(log_of_foreign.find("its certificate is refused") != std::string::npos);
  CHECK(log.find("it does not speak TLS") != std::string::npos);
  is_foreign = false;
  cluster.node(1).kill();
  cluster.start_node(1);
  cluster.wait_until("the right one may join", [&] { return cluster.nodes_online() == 2; });
}

TEST_CASE("dimd ends with status 1 before it starts anything when its certificates are wrong, and "
          "names every problem") {
  certificate_files files;
  certificate_files others{"other"};
  auto options = files.issue("node-1", -10, -1);
  options.ca = others.ca();
  options.key = files.issue("node-2").key;
  ::chmod(options.key.c_str(), 0644);
  failed_start dimd{tls_flags(options)};
  REQUIRE_MESSAGE(dimd.status == 1, dimd.text);
  for (auto words : {"has expired at", "is not the key of", "may be used by everybody",
                     "is not signed by"})
    CHECK_MESSAGE(dimd.says(words), words);
  CHECK_FALSE(std::filesystem::exists(dimd.folder / "data"));
}

TEST_CASE("dimd without a certificate listens on loopback only") {
  failed_start dimd{{"--cluster.bind=0.0.0.0"}};
  CHECK(dimd.status == 2);
  CHECK(dimd.says("expected a loopback address, because [tls] names no certificate"));
}

TEST_CASE("strangers at the cluster's port cost a bounded number of files and bytes, and disturb "
          "nobody") {
  certificate_files files;
  auto shape = tls_shape(files, "127.0.0.1");
  shape.nodes = 1;
  shape.flags = {"--tls.handshake_timeout_ms=1000", "--tls.handshakes_max=32"};
  std::uint16_t port = 0;
  auto usual = shape.place;
  shape.place = [&](const std::string& name, std::uint16_t cluster_port) {
    port = cluster_port;
    return usual(name, cluster_port);
  };
  local_cluster cluster{shape};
  cluster.push_samples({"digits-mlp"});
  CHECK(cluster.finish(cluster.submit(small_job()))["status"] == "completed");
  auto pid = cluster.orchestrator().pid();
  auto memory_before = resident_kib(pid);
  auto files_before = open_files(pid);
  std::size_t most_files = 0;
  for (int round = 0; round < 5; ++round) {
    std::vector<std::unique_ptr<stranger>> all;
    for (int index = 0; index < 100; ++index) {
      all.push_back(std::make_unique<stranger>(port));
      if (index % 3 == 1)
        all.back()->send(std::string(10'000, static_cast<char>(round * 50 + index)));
      else if (index % 3 == 2)
        all.back()->send(std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11});
      most_files = std::max(most_files, open_files(pid));
    }
    CHECK(cluster.finish(cluster.submit(small_job()))["status"] == "completed");
    for (auto& each : all)
      CHECK(each->is_closed());
  }
  MESSAGE("memory ", memory_before, " -> ", resident_kib(pid), " KiB, files ", files_before,
          " -> at most ", most_files);
  CHECK(most_files < files_before + 120);
  CHECK(resident_kib(pid) < memory_before + 64 * 1024);
  cluster.wait_until("their files are closed",
                     [&] { return open_files(pid) <= files_before + 5; });
  CHECK(cluster.count_in_log("orchestrator", "lost node") == 0);
  CHECK(cluster.count_in_log("node-1", "lost connection") == 0);
  CHECK(cluster.nodes_online() == 1);
}
