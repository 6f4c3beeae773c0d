#pragma once

#include <optional>

#include "actors/store/messages.hpp"
#include "runtime/errors.hpp"
#include "runtime/store.hpp"

namespace dim::actors {

/// Numbers events without gaps inside one transaction: reads the last number at its first use and
/// writes it back with `finish`.
class event_counter {
public:
  explicit event_counter(runtime::write_transaction& changes) : changes_(changes) {
  }

  /// The last number that was given. Errors: those of the store.
  runtime::expected<std::uint64_t> last();
  /// Numbers `fact` and writes it, and its row in its job's history. Errors: those of the store.
  runtime::expected<void> append(event& fact);
  /// Writes the last number, if one was given. Errors: those of the store.
  runtime::expected<void> finish();

private:
  runtime::write_transaction& changes_;
  std::optional<std::uint64_t> last_;
  bool is_changed_ = false;
};

/// Applies one commit to a transaction, or finds in its way a key that one of its `put_absent` must
/// not find: then nothing is written, and the result says what stood there. After a failure the
/// transaction must be undone. Errors: those of the store, bad_input (key), internal (no such
/// table).
runtime::expected<commit_result> apply_commit(runtime::write_transaction& changes,
                                              commit_changes& request, event_counter& counter);

}  // namespace dim::actors
