#pragma once

#include <string_view>

namespace dim::config {

/// Which texts an option accepts.
struct text_rule {
  bool (*fits)(std::string_view text);
  /// Completes "expected ...".
  std::string_view expected;
};

extern const text_rule role_rule;
extern const text_rule cluster_name_rule;
extern const text_rule not_empty_rule;
/// A numeric address of this machine's interfaces, or "localhost".
extern const text_rule interface_rule;
/// "host:port" or "[v6-address]:port".
extern const text_rule address_rule;
/// A name for people; may be empty.
extern const text_rule label_rule;
extern const text_rule optional_uuid_rule;
extern const text_rule device_rule;
extern const text_rule isolation_rule;
extern const text_rule transport_rule;
extern const text_rule control_rule;
extern const text_rule log_level_rule;
extern const text_rule log_format_rule;
extern const text_rule balance_rule;
/// "group: header=value", of a group of the Open Inference Protocol.
extern const text_rule restriction_rule;

/// Whether this interface is reachable from this machine only.
bool is_loopback(std::string_view text);

}  // namespace dim::config
