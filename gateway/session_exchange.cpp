#include "gateway/session_exchange.hpp"

#include "gateway/http_session.hpp"
#include "gateway/http_status.hpp"

namespace dim::gateway {

session_exchange::session_exchange(std::shared_ptr<http_session> session, http_request request)
  : session_(std::move(session)), request_(std::move(request)) {
}

session_exchange::~session_exchange() {
  reply(failure_reply({runtime::error_code::internal, "the request was dropped", {}}));
}

void session_exchange::reply(http_reply answer) {
  if (!replied_.test_and_set())
    session_->send(std::move(answer));
}

void session_exchange::post(std::function<void()> task) {
  session_->post(std::move(task));
}

void session_exchange::watch(std::function<void()> gone) {
  session_->watch(std::move(gone));
}

void session_exchange::read_block(block_callback done) {
  session_->read_block(std::move(done));
}

}  // namespace dim::gateway
