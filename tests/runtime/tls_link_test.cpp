// Real links over TLS, between actor systems of this process.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include <doctest/doctest.h>

#include "runtime/link.hpp"
#include "runtime/tls_links.hpp"
#include "tests/runtime/runtime_types.hpp"
#include "tests/support/certificate_files.hpp"
#include "tests/support/log_file.hpp"

using namespace dim;
using namespace dim::tests;

namespace {

constexpr auto patience = std::chrono::seconds{30};

/// One process's actor system, with threads and links; over TLS when it has a context.
struct process {
  explicit process(std::shared_ptr<const runtime::tls_context> context,
                   runtime::tls_link_limits limits = {}) {
    config.add_message_types<caf::id_block::dim_runtime_tests>();
    config.enable_links(1'000, 10'000);
    if (context)
      runtime::enable_tls(config, std::move(context), limits);
    system = std::make_unique<caf::actor_system>(config);
  }
  ~process() {
    for (auto& handle : config.context->actors.handles())
      caf::anon_send_exit(handle, caf::exit_reason::kill);
  }

  std::uint16_t publish(const caf::actor& entry, const std::string& bind = "127.0.0.1",
                        std::uint16_t port = 0) {
    auto used = runtime::publish_entry(*system, entry, bind, port);
    REQUIRE_MESSAGE(used, (used ? "" : used.error().message));
    return *used;
  }

  caf::actor start_sum() const {
    return caf::actor_cast<caf::actor>(system->spawn(sum));
  }

  /// One dial; empty when it was refused.
  caf::actor dial(std::uint16_t port) const {
    caf::scoped_actor self{*system};
    caf::actor result;
    self->request(runtime::dialer_of(*system), patience, caf::connect_atom_v, "127.0.0.1", port)
      .receive(
        [&](const caf::node_id&, const caf::strong_actor_ptr& peer, const std::set<std::string>&) {
          result = caf::actor_cast<caf::actor>(peer);
        },
        [](const caf::error&) {});
    return result;
  }

  runtime::system_config config;
  std::unique_ptr<caf::actor_system> system;
};

std::shared_ptr<const runtime::tls_context> context_of(const certificate_files& files,
                                                       const config::tls_options& options,
                                                       std::int64_t days_from_now = 0) {
  auto loaded = runtime::tls_context::load(
    options, files.now_s() + days_from_now * certificate_files::day_s);
  REQUIRE(loaded);
  return *loaded;
}

std::int64_t sum_of(const process& where, const caf::actor& target) {
  caf::scoped_actor self{*where.system};
  std::int64_t result = -1;
  self->request(target, patience, get_sum{})
    .receive([&](const sum_result& x) { result = x.value; }, [](const caf::error&) {});
  return result;
}

/// A raw TCP connection to a port of this machine.
struct raw_connection {
  explicit raw_connection(std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
    timeval limit{30, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }
  raw_connection(const raw_connection&) = delete;
  raw_connection& operator=(const raw_connection&) = delete;
  ~raw_connection() {
    ::close(socket);
  }
  void send(const std::string& bytes) const {
    ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  /// Whether the other side closes it; waits.
  bool is_closed() const {
    char bytes[4096];
    for (;;) {
      auto got = ::recv(socket, bytes, sizeof(bytes), 0);
      if (got <= 0)
        return got == 0 || errno == ECONNRESET;
    }
  }

  int socket = -1;
};

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  auto of = [](const timeval& x) { return double(x.tv_sec) + double(x.tv_usec) / 1e6; };
  return of(used.ru_utime) + of(used.ru_stime);
}

}  // namespace

TEST_CASE("over TLS a link carries calls, breaks with its peer, and finds the next one") {
  certificate_files files;
  auto server_context = context_of(files, files.issue("server"));
  auto server = std::make_unique<process>(server_context);
  auto target = server->start_sum();
  caf::anon_send(target, add_number{12});
  auto port = server->publish(target);
  process client{context_of(files, files.issue("client"))};
  caf::scoped_actor self{*client.system};
  runtime::service<caf::actor> entry;
  runtime::link_options options;
  options.addresses = {"127.0.0.1:" + std::to_string(port)};
  auto link = client.system->spawn(runtime::link, runtime::dialer_of(*client.system), options,
                                   entry, caf::actor_cast<caf::actor>(self));
  auto wait_up = [&] {
    std::uint64_t generation = 0;
    self->receive([&](const runtime::link_up& x) { generation = x.generation; },
                  caf::after(patience) >> [] { FAIL("no link_up"); });
    return generation;
  };
  CHECK(wait_up() == 1);
  CHECK(sum_of(client, entry.get()) == 12);
  target = nullptr;
  server.reset();
  self->receive([](const runtime::link_down&) {},
                caf::after(patience) >> [] { FAIL("no link_down"); });
  server = std::make_unique<process>(server_context);
  server->publish(server->start_sum(), "127.0.0.1", port);
  CHECK(wait_up() == 2);
}

TEST_CASE("with TLS an entry may be published on every interface") {
  certificate_files files;
  process server{context_of(files, files.issue("server"))};
  auto target = server.start_sum();
  auto port = server.publish(target, "0.0.0.0");
  process client{context_of(files, files.issue("client"))};
  CHECK(client.dial(port));
  process plain{nullptr};
  auto refused = runtime::publish_entry(*plain.system, plain.start_sum(), "0.0.0.0", 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("TLS") != std::string::npos);
}

TEST_CASE("a peer with a wrong, an expired or no certificate is refused, with its reason in the "
          "log, and the others stay") {
  log_file log{"debug"};
  certificate_files files;
  certificate_files others{"other"};
  process server{context_of(files, files.issue("server"))};
  auto port = server.publish(server.start_sum());
  process good{context_of(files, files.issue("good"))};
  auto link = good.dial(port);
  REQUIRE(link);
  process foreign{context_of(others, others.issue("foreign"))};
  CHECK_FALSE(foreign.dial(port));
  process expired{context_of(files, files.issue("expired", -10, -5), -7)};
  CHECK_FALSE(expired.dial(port));
  process plain{nullptr};
  CHECK_FALSE(plain.dial(port));
  CHECK(sum_of(good, link) == 0);
  auto text = log.text();
  CHECK(text.find("refused a connection") != std::string::npos);
  CHECK(text.find("certificate has expired") != std::string::npos);
  CHECK(text.find("it does not speak TLS") != std::string::npos);
  CHECK(text.find("its certificate is refused") != std::string::npos);
}

TEST_CASE("a process with TLS does not speak with one without") {
  certificate_files files;
  process plain{nullptr};
  auto port = plain.publish(plain.start_sum());
  process client{context_of(files, files.issue("client"))};
  CHECK_FALSE(client.dial(port));
  process other{nullptr};
  CHECK(other.dial(port));
}

TEST_CASE("a server that expired meanwhile is refused by those who dial it") {
  certificate_files files;
  process server{context_of(files, files.issue("server", -10, -5), -7)};
  auto port = server.publish(server.start_sum());
  process client{context_of(files, files.issue("client"))};
  CHECK_FALSE(client.dial(port));
}

TEST_CASE("noise, half-open and slow connections end in their time, and disturb no link") {
  certificate_files files;
  runtime::tls_link_limits limits;
  limits.handshake_timeout_ms = 500;
  limits.handshakes_max = 20;
  process server{context_of(files, files.issue("server")), limits};
  auto port = server.publish(server.start_sum());
  process client{context_of(files, files.issue("client"))};
  auto link = client.dial(port);
  REQUIRE(link);
  auto ended = false;
  link->attach_functor([&ended](const caf::error&) { ended = true; });
  for (auto& noise : {std::string{"GET / HTTP/1.1\r\n\r\n"}, std::string(5'000, '\0'),
                      std::string(5'000, '\x16'), std::string(5'000, '\xff')}) {
    raw_connection one{port};
    one.send(noise);
    CHECK(one.is_closed());
    CHECK(sum_of(client, link) == 0);
  }
  auto wall = std::chrono::steady_clock::now();
  auto processor = processor_seconds();
  std::vector<std::unique_ptr<raw_connection>> open;
  for (int index = 0; index < 60; ++index) {
    open.push_back(std::make_unique<raw_connection>(port));
    if (index % 2 == 0)
      open.back()->send("\x16\x03\x01");
  }
  for (auto& each : open)
    CHECK(each->is_closed());
  std::chrono::duration<double> waited = std::chrono::steady_clock::now() - wall;
  CHECK(waited.count() < 20);
  // Waiting costs no processor time: CAF's own transport asks without end whether it may write.
  CHECK(processor_seconds() - processor < 0.5 * std::max(waited.count(), 0.4));
  CHECK(sum_of(client, link) == 0);
  CHECK_FALSE(ended);
  CHECK(client.dial(port) == link);
}

TEST_CASE("one that is dialled and never speaks TLS is given up") {
  certificate_files files;
  auto listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&at), size) == 0);
  REQUIRE(::listen(listener, 5) == 0);
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  process client{context_of(files, files.issue("client"))};
  CHECK_FALSE(client.dial(ntohs(at.sin_port)));
  ::close(listener);
}
