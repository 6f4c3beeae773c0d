#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "runtime/bytes.hpp"
#include "runtime/errors.hpp"

/// Which chunks of a file are to be asked for next. Pure: no actor, no clock, no file.
namespace dim::actors {

/// The largest chunk of a transfer, in bytes.
inline constexpr std::uint32_t chunk_bytes_max = 1 << 20;

/// A part of the file to be asked for.
struct chunk_wish {
  std::uint64_t offset = 0;
  std::uint32_t length = 0;

  bool operator==(const chunk_wish&) const = default;
};

/// A part of the file, ready to be appended.
struct file_part {
  std::uint64_t offset = 0;
  runtime::bytes data;
};

/// One file on its way in chunks: at most `window` of them are asked for or wait for an earlier
/// one; what comes out is in order. A chunk that fails is asked for again, `attempts_max` times in
/// all.
class chunk_transfer {
public:
  chunk_transfer(std::uint64_t byte_size, std::uint32_t window, std::uint32_t attempts_max = 3);

  /// The next chunk to ask for; nothing while the window is full or when all are asked for.
  std::optional<chunk_wish> next();

  /// Takes the bytes of the chunk at `offset`, and returns what can be appended now. A chunk that
  /// was not asked for, or came twice, is ignored. Errors: corrupt (it has not the length that was
  /// asked for).
  runtime::expected<std::vector<file_part>> arrived(std::uint64_t offset, runtime::bytes data);

  /// The chunk did not come. False when that was its last attempt.
  bool failed(std::uint64_t offset);

  /// Every chunk that was asked for will not come, since its sender is gone: they are asked for
  /// again without losing an attempt.
  void restart_asked();

  bool is_complete() const noexcept {
    return appended_ == byte_size_;
  }

private:
  std::uint32_t length_at(std::uint64_t offset) const noexcept;

  std::uint64_t byte_size_;
  std::uint32_t window_;
  std::uint32_t attempts_max_;
  std::uint64_t never_asked_from_ = 0;
  std::uint64_t appended_ = 0;
  std::set<std::uint64_t> asked_;
  std::set<std::uint64_t> to_repeat_;
  std::map<std::uint64_t, runtime::bytes> early_;
  std::map<std::uint64_t, std::uint32_t> failures_;
};

}  // namespace dim::actors
