#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/log.hpp"

/// How a line of the log looks, apart from where it goes.
namespace dim::runtime {

/// What every line begins with.
struct log_head {
  std::int64_t at_ms = 0;  ///< Since the Unix epoch.
  log_level level = log_level::info;
  std::string_view role;
  std::string_view actor;
  std::string_view message;
};

/// A JSON string: quoted and escaped; bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);
/// Puts it behind `out`.
void append_json_string(std::string& out, std::string_view text);

/// {"ts":"2026-01-02T03:04:05.678Z","level":"info","role":"node","actor":"LINK","message":...}
std::string json_line(const log_head& head, log_fields fields);

/// 2026-01-02T03:04:05.678Z info  node LINK joined cluster node_id=... generation=4
std::string text_line(const log_head& head, log_fields fields);

}  // namespace dim::runtime
