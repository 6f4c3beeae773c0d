#include "runtime/link.hpp"

#include <chrono>
#include <set>

#include <caf/io/all.hpp>

#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"
#include "runtime/restart_policy.hpp"
#include "runtime/tcp_dial.hpp"
#include "runtime/tls_links.hpp"

namespace dim::runtime {

namespace {

// A port is bound at once or never.
constexpr auto publish_timeout = std::chrono::seconds{10};

std::string words_of(const greet_peer& x) {
  return "cluster '" + x.cluster + "' with protocol " + std::to_string(x.protocol);
}

}  // namespace

expected<endpoint> parse_endpoint(const std::string& text) {
  auto wrong = [&text] {
    return fail(error_code::bad_input, "\"" + text + "\" is not host:port");
  };
  auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || text.size() - colon - 1 > 5)
    return wrong();
  std::uint32_t port = 0;
  for (auto digit : text.substr(colon + 1)) {
    if (digit < '0' || digit > '9')
      return wrong();
    port = port * 10 + static_cast<std::uint32_t>(digit - '0');
  }
  auto host = text.substr(0, colon);
  auto in_brackets = host.front() == '[' && host.back() == ']' && host.size() > 2;
  if (in_brackets)
    host = host.substr(1, host.size() - 2);
  else if (host.find_first_of(":[]") != std::string::npos)
    return wrong();
  if (port == 0 || port > 65'535)
    return wrong();
  return endpoint{host, static_cast<std::uint16_t>(port)};
}

void link_state::begin(caf::io::middleman_actor dialer, link_options options,
                       service<caf::actor> entry, caf::actor owner) {
  dialer_ = std::move(dialer);
  options_ = std::move(options);
  entry_ = std::move(entry);
  owner_ = std::move(owner);
  random_.emplace(context_of(self_->system()).seed ^ (self_->id() * 0x9e3779b97f4a7c15ull));
  dial_address(0);
}

void link_state::dial(const dial_due& message) {
  if (message.round == round_ && !peer_)
    dial_address(0);
}

void link_state::dial_address(std::size_t index) {
  if (index >= options_.addresses.size())
    return wait_and_dial();
  auto to = parse_endpoint(options_.addresses[index]);
  if (!to)
    return failed(to.error(), index);
  auto timeout = std::chrono::milliseconds{options_.dial_timeout_ms};
  self_->request(dialer_, timeout, caf::connect_atom_v, to->host, to->port)
    .then(
      [this, index](const caf::node_id&, const caf::strong_actor_ptr& peer,
                    const std::set<std::string>& interface) {
        connected(peer, !interface.empty(), index);
      },
      [this, index](const caf::error& error) { failed(to_failure(error), index); });
}

void link_state::connected(const caf::strong_actor_ptr& peer, bool is_typed, std::size_t index) {
  if (!peer)
    return failed({error_code::unavailable, "nothing is published there", {}}, index);
  if (is_typed)
    return failed({error_code::protocol_mismatch, "another program listens there", {}}, index);
  greet(caf::actor_cast<caf::actor>(peer), index);
}

void link_state::greet(const caf::actor& peer, std::size_t index) {
  if (!options_.greeting)
    return take(peer, index);
  self_
    ->request(peer, std::chrono::milliseconds{options_.dial_timeout_ms}, *options_.greeting)
    .then(
      [this, peer, index](const greet_peer& theirs) {
        if (theirs == *options_.greeting)
          take(peer, index);
        else
          failed({error_code::protocol_mismatch,
                  "there is " + words_of(theirs) + ", this process is of "
                    + words_of(*options_.greeting),
                  {}},
                 index);
      },
      [this, index](const caf::error& error) { failed(to_failure(error), index); });
}

void link_state::take(const caf::actor& peer, std::size_t index) {
  peer_ = peer;
  self_->monitor(peer_);
  up_since_ns_ = clock_ns(self_->system());
  ++generation_;
  entry_.set(peer_);
  log(log_level::info, name, "connected", {{"address", options_.addresses[index]}});
  caf::anon_send(owner_, link_up{generation_});
}

void link_state::failed(const failure& reason, std::size_t index) {
  // The first of a row of equal failures is enough.
  auto level = reason == last_failure_ ? log_level::debug : log_level::warn;
  last_failure_ = reason;
  log(level, name, "could not connect",
      {{"address", options_.addresses[index]}, {"reason", reason.message}});
  dial_address(index + 1);
}

void link_state::peer_ended(const caf::down_msg& message) {
  if (peer_ && message.source == peer_.address())
    lose(to_failure(message.reason));
}

void link_state::redial_after(const redial& message) {
  if (!peer_ || message.generation != generation_)
    return;
  self_->demonitor(peer_);
  lose(message.reason);
}

void link_state::lose(const failure& reason) {
  log(log_level::warn, name, "lost connection", {{"reason", reason.message}});
  auto up_for_ms = (clock_ns(self_->system()) - up_since_ns_) / 1'000'000;
  // A connection over which the join fails at once must not be dialled ever faster.
  if (up_for_ms >= std::int64_t{options_.backoff_max_ms})
    failures_ = 0;
  peer_ = nullptr;
  last_failure_ = {};
  entry_.clear();
  caf::anon_send(owner_, link_down{generation_, reason});
  wait_and_dial();
}

void link_state::wait_and_dial() {
  ++failures_;
  auto pause = backoff_of(options_.backoff_ms, options_.backoff_max_ms, failures_, *random_);
  self_->delayed_send(self_, std::chrono::milliseconds{pause}, dial_due{++round_});
}

std::string link_state::describe() const {
  return peer_ ? "up, connection " + std::to_string(generation_)
               : "dialling, " + std::to_string(failures_) + " failures";
}

link_actor::behavior_type link(link_state::self_pointer self, caf::io::middleman_actor dialer,
                               link_options options, service<caf::actor> entry, caf::actor owner) {
  auto& state = self->state;
  self->set_down_handler([&state](caf::down_msg& message) { state.peer_ended(message); });
  state.begin(std::move(dialer), std::move(options), std::move(entry), std::move(owner));
  return {
    [&state](const redial& message) { state.redial_after(message); },
    [&state](const dial_due& message) { state.dial(message); },
  };
}

caf::io::middleman_actor middleman_of(caf::actor_system& system) {
  return system.middleman().actor_handle();
}

caf::io::middleman_actor dialer_of(caf::actor_system& system) {
  auto over_tls = tls_dialer_of(system);
  return over_tls ? over_tls : middleman_of(system);
}

bool is_loopback(const std::string& bind) {
  auto is_number = bind.find_first_not_of("0123456789.") == std::string::npos;
  return (is_number && bind.rfind("127.", 0) == 0) || bind == "::1" || bind == "localhost";
}

expected<std::uint16_t> publish_entry(caf::actor_system& system, const caf::actor& entry,
                                      const std::string& bind, std::uint16_t port) {
  auto over_tls = tls_dialer_of(system);
  if (!over_tls && !is_loopback(bind))
    return fail(error_code::unavailable, "refuses to listen on \"" + bind
                                           + "\": cluster traffic without TLS binds loopback only");
  caf::scoped_actor self{system};
  expected<std::uint16_t> result = 0;
  self
    ->request(over_tls ? over_tls : middleman_of(system), publish_timeout, caf::publish_atom_v,
              port, caf::actor_cast<caf::strong_actor_ptr>(entry), std::set<std::string>{}, bind,
              true)
    .receive([&](std::uint16_t used) { result = used; },
             [&](const caf::error& problem) {
               // CAF says that the port can not be opened, but not why.
               const auto reason = why_not_listening(bind, port);
               result = fail(error_code::unavailable,
                             "can not listen on " + bind + ":" + std::to_string(port) + " ("
                               + (reason.empty() ? to_failure(problem).message : reason) + ")");
             });
  return result;
}

}  // namespace dim::runtime
