#include "tests/cluster/caller.hpp"

namespace dim::tests {

caller::caller(std::uint16_t port, std::uint32_t patience_ms)
  : client_({"127.0.0.1", std::to_string(port), {}},
            {patience_ms, patience_ms, patience_ms, 1ull << 30}) {
}

reply caller::get(const std::string& target, std::uint32_t wait_ms) {
  tools::http_request request;
  request.target = target;
  request.wait_ms = wait_ms;
  return send(request);
}

reply caller::post(const std::string& target, const std::string& body, const std::string& key) {
  tools::http_request request;
  request.method = "POST";
  request.target = target;
  request.body = body;
  request.headers.emplace_back("Content-Type", "application/json");
  if (!key.empty())
    request.headers.emplace_back("Idempotency-Key", key);
  return send(request);
}

reply caller::remove(const std::string& target) {
  tools::http_request request;
  request.method = "DELETE";
  request.target = target;
  return send(request);
}

reply caller::send(const tools::http_request& request) {
  auto answer = client_.send(request);
  if (!answer)
    return {};
  return {answer->status, nlohmann::json::parse(answer->body, nullptr, false)};
}

}  // namespace dim::tests
