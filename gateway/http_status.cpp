#include "gateway/http_status.hpp"

#include "gateway/json_writer.hpp"

namespace dim::gateway {

unsigned http_status_of(runtime::error_code code) noexcept {
  using runtime::error_code;
  switch (code) {
    case error_code::none:
      return 200;
    case error_code::bad_input:
    case error_code::bad_model:
    case error_code::unsupported:
    case error_code::corrupt:
      return 400;
    case error_code::unauthorized:
      return 401;
    case error_code::forbidden:
      return 403;
    case error_code::not_found:
    case error_code::model_not_found:
      return 404;
    case error_code::conflict:
    case error_code::cancelled:
      return 409;
    case error_code::too_large:
      return 413;
    case error_code::no_consensus:
    case error_code::poison_input:
      return 422;
    case error_code::node_lost:
    case error_code::agent_lost:
    case error_code::protocol_mismatch:
      return 502;
    case error_code::overloaded:
    case error_code::unavailable:
    case error_code::no_nodes:
    case error_code::memory_limit:
      return 503;
    case error_code::expired:
    case error_code::timeout:
    case error_code::agent_timeout:
      return 504;
    case error_code::store_full:
      return 507;
    case error_code::store_corrupt:
    case error_code::internal:
      return 500;
  }
  return 500;
}

http_reply failure_reply(const runtime::failure& what, unsigned status) {
  json_writer out;
  out.begin_object();
  out.member("error", what.message.empty() ? runtime::sentence_of(what.code) : what.message);
  out.member("code", runtime::to_string(what.code));
  out.member("details", what.details);
  out.end_object();
  http_reply answer;
  answer.status = status == 0 ? http_status_of(what.code) : status;
  if (answer.status == 503)
    answer.headers.emplace_back("Retry-After", "1");
  answer.body = out.take();
  return answer;
}

http_reply json_reply(std::string body, unsigned status) {
  http_reply answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

}  // namespace dim::gateway
