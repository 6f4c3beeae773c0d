#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "tools/dim/http_client.hpp"

namespace dim::tests {

/// An answer of the gateway; status 0 when none came in time.
struct reply {
  unsigned status = 0;
  nlohmann::json body;
};

/// A client of one gateway, over a connection that it keeps. No wait is longer than `patience_ms`,
/// beside what a request asks to wait, so that a frozen gateway is one that does not answer. Not to
/// be shared between threads.
class caller {
public:
  explicit caller(std::uint16_t port, std::uint32_t patience_ms = 30'000);

  reply get(const std::string& target, std::uint32_t wait_ms = 0);
  /// `key` is the Idempotency-Key, if it is not empty.
  reply post(const std::string& target, const std::string& body, const std::string& key = {});
  reply remove(const std::string& target);

private:
  reply send(const tools::http_request& request);

  tools::http_client client_;
};

}  // namespace dim::tests
