#pragma once

#include <cstdint>
#include <string>

#include "runtime/errors.hpp"

/// Messages of BACKUP.
namespace dim::actors {

enum class backup_state : std::uint8_t { none, running, done, failed };
std::string_view to_string(backup_state value) noexcept;
constexpr backup_state last_value(backup_state) noexcept {
  return backup_state::failed;
}

/// Begins a backup into `folder`, an absolute path on the orchestrator's machine, empty or not
/// there. Replies with `running`. Errors: conflict (one is running), bad_input (the path).
struct start_backup {
  std::string folder;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, start_backup& x) {
  return f(x.folder);
}

/// How the backup that was started last is doing.
struct get_backup {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_backup&) {
  return f();
}

struct backup_status {
  backup_state state = backup_state::none;
  std::string folder;
  /// Copied so far.
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::int64_t started_at = 0;
  std::int64_t ended_at = 0;
  /// Why it failed.
  runtime::failure error;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, backup_status& x) {
  return f(x.state, x.folder, x.files, x.bytes, x.started_at, x.ended_at, x.error);
}

/// INTERNAL, from BACKUP RUN: it is over; `error.code` is `none` for a good end.
struct backup_ended {
  runtime::failure error;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, backup_ended& x) {
  return f(x.error);
}

/// INTERNAL to BACKUP RUN: begin.
struct backup_due {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, backup_due&) {
  return f();
}

}  // namespace dim::actors
