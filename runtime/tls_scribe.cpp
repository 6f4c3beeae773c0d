#include "runtime/tls_scribe.hpp"

#include <sys/socket.h>

#include <chrono>
#include <utility>

#include "runtime/log.hpp"

namespace dim::runtime {

namespace {

constexpr auto actor_name = "TLS";

using outcome = tls_session::outcome;
using rw_state = caf::io::network::rw_state;

}  // namespace

tls_scribe::tls_scribe(caf::io::network::default_multiplexer& multiplexer, int socket,
                       std::shared_ptr<const tls_context> context, tls_session::side side,
                       handshakes::ticket slot)
  : scribe(caf::io::network::conn_hdl_from_socket(socket)),
    side_(side),
    stream_(multiplexer, socket,
            policy{this, std::unique_ptr<channel>{lane_ = new channel{
                           tls_session{std::move(context), socket, side}, std::move(slot)}}}) {
}

void tls_scribe::configure_read(caf::io::receive_policy::config config) {
  stream_.configure_read(config);
  if (std::exchange(is_launched_, true))
    return;
  stream_.start(this);
  // A failure shows at the next read, in the place where CAF expects it.
  if (shake_hands(*lane_) == outcome::closed)
    ::shutdown(stream_.fd(), SHUT_RDWR);
}

tls_session::outcome tls_scribe::shake_hands(channel& lane) {
  auto result = lane.session.shake_hands();
  if (result == outcome::later)
    return result;
  if (result == outcome::closed)
    report_end(lane);
  lane.slot.end();
  if (result == outcome::closed)
    return result;
  is_established_ = true;
  log(log_level::debug, actor_name,
      side_ == tls_session::side::accepting ? "accepted a peer" : "reached a peer",
      {{"address", addr()}, {"peer", lane.session.peer()}, {"protocol", lane.session.protocol()}});
  stream_.wr_buf() = std::exchange(held_back_, {});
  stream_.flush(this);
  return result;
}

void tls_scribe::report_end(const channel& lane) {
  if (std::exchange(is_reported_, true))
    return;
  if (is_established_ && lane.session.reason().empty())
    return;  // an ordinary end, which LINK or REGISTRY tells of
  auto left_out = lane.slot.may_report(std::chrono::steady_clock::now());
  if (!left_out)
    return;
  auto reason = lane.slot.is_cut_off()            ? "it took too long, or too many were at it"
                : lane.session.reason().empty() ? "it ended the handshake"
                                                : lane.session.reason();
  auto words = side_ == tls_session::side::accepting ? "refused a connection"
                                                     : "could not use a connection";
  log(log_level::warn, actor_name, is_established_ ? "lost a connection" : words,
      {{"address", addr()}, {"reason", reason}, {"left_out", *left_out}});
}

rw_state tls_scribe::policy::read_some(std::size_t& moved, native_socket, void* to,
                                       std::size_t size) {
  moved = 0;
  if (!owner->is_established_) {
    auto step = owner->shake_hands(*lane);
    if (step != outcome::done)
      return step == outcome::later ? rw_state::success : rw_state::failure;
  }
  if (size == 0)
    return rw_state::indeterminate;
  if (lane->session.read(to, size, moved) != outcome::closed)
    return rw_state::success;
  owner->report_end(*lane);
  return rw_state::failure;
}

rw_state tls_scribe::policy::write_some(std::size_t& moved, native_socket, const void* from,
                                        std::size_t size) {
  moved = 0;
  if (size == 0)
    return rw_state::indeterminate;
  if (lane->session.write(from, size, moved) != outcome::closed)
    return rw_state::success;
  owner->report_end(*lane);
  return rw_state::failure;
}

bool tls_scribe::policy::must_read_more(native_socket, std::size_t size) {
  return lane->session.pending() >= size;
}

void tls_scribe::ack_writes(bool enable) {
  stream_.ack_writes(enable);
}

std::vector<char>& tls_scribe::wr_buf() {
  return is_established_ ? stream_.wr_buf() : held_back_;
}

std::vector<char>& tls_scribe::rd_buf() {
  return stream_.rd_buf();
}

void tls_scribe::flush() {
  if (is_established_)
    stream_.flush(this);
}

void tls_scribe::graceful_shutdown() {
  stream_.graceful_shutdown();
  detach(&stream_.backend(), false);
}

std::string tls_scribe::addr() const {
  auto found = caf::io::network::remote_addr_of_fd(stream_.fd());
  return found ? *found : "";
}

std::uint16_t tls_scribe::port() const {
  auto found = caf::io::network::remote_port_of_fd(stream_.fd());
  return found ? *found : 0;
}

void tls_scribe::add_to_loop() {
  stream_.activate(this);
}

void tls_scribe::remove_from_loop() {
  stream_.passivate();
}

}  // namespace dim::runtime
