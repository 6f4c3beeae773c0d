#pragma once

#include <cstdint>
#include <functional>

#include "runtime/errors.hpp"

/// The one seam at which a simulated disk, or a fault that users inject, takes the place of the
/// real one. Empty in production.
namespace dim::runtime {

/// What is about to be written: a commit to the database, a commit that frees space in it, or the
/// file of a blob.
enum class disk_write : std::uint8_t { commit, reclaim, blob };

/// What becomes of a write:
///
/// - `proceed`: what the real disk does with it;
/// - `full`: nothing is written, the caller gets `store_full`, as on a full disk; it may be tried
///   again;
/// - `lost`: nothing is written, the caller gets `internal`. A simulation that crashes the host
///   just before a write also ends every actor before anybody can read that failure.
enum class write_fate : std::uint8_t { proceed, full, lost };

/// Both are called in the thread that writes, while it holds the lock of the writer.
struct disk_faults {
  /// Asked when everything is ready to be made true. Empty: always `proceed`.
  std::function<write_fate(disk_write)> before;
  /// Told after a write that is on the disk, and before the caller knows it: here a simulation
  /// crashes a host that has written and told nobody.
  std::function<void(disk_write)> after;

  /// The failure that `before` wants, if any.
  expected<void> ask(disk_write what) const {
    const auto fate = before ? before(what) : write_fate::proceed;
    if (fate == write_fate::full)
      return fail(error_code::store_full, "the disk is full (injected)");
    if (fate == write_fate::lost)
      return fail(error_code::internal, "the write was lost (injected)");
    return {};
  }

  void tell(disk_write what) const {
    if (after)
      after(what);
  }
};

}  // namespace dim::runtime
