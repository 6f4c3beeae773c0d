#pragma once

#include <cstdint>
#include <string>

#include "tools/dim/address.hpp"
#include "tools/dim/http_client.hpp"
#include "tools/dim/json_fields.hpp"

namespace dim::tools {

/// What the gateway answered.
struct gateway_reply {
  /// 0: no answer came.
  unsigned status = 0;
  json body;
  /// Why none came, or what was refused.
  std::string problem;

  bool is_good() const noexcept {
    return status >= 200 && status < 300;
  }
  /// Whether the same request may be answered later: nobody answered, or somebody who could not.
  bool may_heal() const noexcept {
    return status == 0 || status >= 500 || status == 429;
  }
};

/// The gateway of a cluster that is being hurt: no wait is long, and no answer is an error.
class patient_client {
public:
  explicit patient_client(const address& where);

  gateway_reply get(const std::string& target);
  /// `key`: an Idempotency-Key, or empty.
  gateway_reply post(const std::string& target, const std::string& body,
                     const std::string& key = {});
  gateway_reply remove(const std::string& target);

private:
  gateway_reply send(http_request request);

  http_client client_;
};

}  // namespace dim::tools
