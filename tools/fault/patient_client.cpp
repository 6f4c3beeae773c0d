#include "tools/fault/patient_client.hpp"

namespace dim::tools {

namespace {

client_limits short_limits() {
  client_limits limits;
  limits.connect_timeout_ms = 1'000;
  limits.reply_timeout_ms = 5'000;
  limits.stall_timeout_ms = 5'000;
  return limits;
}

}  // namespace

patient_client::patient_client(const address& where) : client_(where, short_limits()) {
}

gateway_reply patient_client::get(const std::string& target) {
  http_request request;
  request.target = target;
  return send(std::move(request));
}

gateway_reply patient_client::post(const std::string& target, const std::string& body,
                                   const std::string& key) {
  http_request request;
  request.method = "POST";
  request.target = target;
  request.body = body;
  request.headers = {{"Content-Type", "application/json"}};
  if (!key.empty())
    request.headers.emplace_back("Idempotency-Key", key);
  return send(std::move(request));
}

gateway_reply patient_client::remove(const std::string& target) {
  http_request request;
  request.method = "DELETE";
  request.target = target;
  return send(std::move(request));
}

gateway_reply patient_client::send(http_request request) {
  auto answer = client_.send(request);
  if (!answer)
    return {0, {}, answer.error().message};
  gateway_reply result{answer->status, json::parse(answer->body, nullptr, false), {}};
  if (result.body.is_discarded())
    result.body = nullptr;
  if (!result.is_good()) {
    result.problem =
      "status " + std::to_string(result.status) + ": " + text_at(result.body, "error");
    for (const auto& detail : list_at(result.body, "details"))
      result.problem += "; " + text_of(detail);
  }
  return result;
}

}  // namespace dim::tools
