#include "runtime/tls_links.hpp"

#include <chrono>
#include <utility>

#include <caf/all.hpp>
#include <caf/detail/socket_guard.hpp>
#include <caf/io/all.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman_actor_impl.hpp>
#include <caf/io/network/doorman_impl.hpp>

#include "runtime/caf_errors.hpp"
#include "runtime/handshakes.hpp"
#include "runtime/tcp_dial.hpp"
#include "runtime/tls_scribe.hpp"

namespace dim::runtime {

namespace {

using caf::io::network::default_multiplexer;
using steady = std::chrono::steady_clock;

/// Under which the dialler stands in the registry of its actor system.
constexpr auto dialer_name = caf::atom("dim-tls");
constexpr auto watch_pause = std::chrono::milliseconds{250};

/// What the connections of one actor system share.
struct tls_setup {
  std::shared_ptr<const tls_context> context;
  tls_link_limits limits;
  std::shared_ptr<handshakes> incoming;
};

class tls_doorman final : public caf::io::network::doorman_impl {
public:
  tls_doorman(default_multiplexer& multiplexer, int socket, tls_setup setup)
    : doorman_impl(multiplexer, socket), setup_(std::move(setup)) {
  }

  bool new_connection() override {
    caf::detail::socket_guard guard{acceptor_.accepted_socket()};
    // The broker may have closed this port while the event was on its way.
    if (detached())
      return false;
    auto socket = acceptor_.accepted_socket();
    prepare_link_socket(socket, setup_.limits.lost_ms);
    caf::io::network::nonblocking(socket, true);
    auto slot = setup_.incoming->begin(socket, steady::now());
    auto& multiplexer = acceptor_.backend();
    auto scribe =
      caf::make_counted<tls_scribe>(multiplexer, guard.release(), setup_.context,
                                    tls_session::side::accepting, std::move(slot));
    auto handle = scribe->hdl();
    parent()->add_scribe(std::move(scribe));
    return doorman::new_connection(&multiplexer, handle);
  }

private:
  tls_setup setup_;
};

class tls_middleman final : public caf::io::middleman_actor_impl {
public:
  tls_middleman(caf::actor_config& config, caf::actor broker, tls_setup setup)
    : middleman_actor_impl(config, std::move(broker)), setup_(std::move(setup)) {
  }

  const char* name() const override {
    return "TLS";
  }

protected:
  caf::expected<caf::io::scribe_ptr> connect(const std::string& host,
                                             std::uint16_t port) override {
    auto socket = dial_tcp(host, port, setup_.limits.dial_timeout_ms);
    if (!socket)
      return to_error(socket.error());
    prepare_link_socket(*socket, setup_.limits.lost_ms);
    return caf::io::scribe_ptr{caf::make_counted<tls_scribe>(
      multiplexer(), *socket, setup_.context, tls_session::side::dialling, handshakes::ticket{})};
  }

  caf::expected<caf::io::doorman_ptr> open(std::uint16_t port, const char* address,
                                           bool reuse) override {
    auto socket = caf::io::network::new_tcp_acceptor_impl(port, address, reuse);
    if (!socket)
      return std::move(socket.error());
    return caf::io::doorman_ptr{caf::make_counted<tls_doorman>(multiplexer(), *socket, setup_)};
  }

private:
  default_multiplexer& multiplexer() {
    return static_cast<default_multiplexer&>(system().middleman().backend());
  }

  tls_setup setup_;
};

/// TLS WATCH ends the handshakes that nobody goes on with.
caf::behavior tls_watch(caf::event_based_actor* self, std::shared_ptr<handshakes> incoming) {
  self->delayed_send(self, watch_pause, caf::tick_atom_v);
  return {[self, incoming](caf::tick_atom) {
    incoming->expire(steady::now());
    self->delayed_send(self, watch_pause, caf::tick_atom_v);
  }};
}

/// Takes the place of CAF's own module for TLS.
class tls_module final : public caf::actor_system::module {
public:
  tls_module(caf::actor_system& system, tls_setup setup)
    : system_(system), setup_(std::move(setup)) {
  }

  void start() override {
    auto broker =
      system_.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
    dialer_ = system_.spawn<tls_middleman, caf::detached + caf::hidden>(broker, setup_);
    watch_ = system_.spawn<caf::hidden>(tls_watch, setup_.incoming);
    system_.registry().put(dialer_name, caf::actor_cast<caf::strong_actor_ptr>(dialer_));
  }

  void stop() override {
    system_.registry().erase(dialer_name);
    caf::scoped_actor self{system_, true};
    caf::anon_send_exit(watch_, caf::exit_reason::kill);
    caf::anon_send_exit(dialer_, caf::exit_reason::kill);
    self->wait_for(watch_, dialer_);
    watch_ = nullptr;
    dialer_ = nullptr;
  }

  void init(caf::actor_system_config&) override {
  }

  id_t id() const override {
    return openssl_manager;
  }

  void* subtype_ptr() override {
    return this;
  }

private:
  caf::actor_system& system_;
  tls_setup setup_;
  caf::io::middleman_actor dialer_;
  caf::actor watch_;
};

}  // namespace

void enable_tls(system_config& config, std::shared_ptr<const tls_context> context,
                tls_link_limits limits) {
  config.module_factories.push_back(
    [context = std::move(context), limits](caf::actor_system& system) {
      auto incoming =
        std::make_shared<handshakes>(limits.handshakes_max, limits.handshake_timeout_ms);
      return new tls_module{system, {context, limits, std::move(incoming)}};
    });
}

caf::io::middleman_actor tls_dialer_of(caf::actor_system& system) {
  auto found = system.registry().get(dialer_name);
  return caf::actor_cast<caf::io::middleman_actor>(found);
}

}  // namespace dim::runtime
