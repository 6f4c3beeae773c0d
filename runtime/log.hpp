#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "config/options.hpp"
#include "runtime/errors.hpp"

/// The log of one process: one line an event, as JSON (for machines) or text (for a terminal).
namespace dim::runtime {

enum class log_level : std::uint8_t { trace, debug, info, warn, error, off };

std::string_view to_string(log_level level) noexcept;

/// One field of a line. Names that others expect: job_id, node_id, execution_id, trace_id, reason.
struct log_field {
  log_field(std::string_view key, std::string_view text) : key(key), text(text) {
  }
  log_field(std::string_view key, const char* text) : key(key), text(text) {
  }
  log_field(std::string_view key, const std::string& text) : key(key), text(text) {
  }
  template <std::integral T>
  log_field(std::string_view key, T number)
    : key(key), is_number(true), number(static_cast<std::int64_t>(number)) {
  }

  std::string_view key;
  std::string_view text;
  bool is_number = false;
  std::int64_t number = 0;
};

using log_fields = std::initializer_list<log_field>;

/// Starts the log as `options` say; before that nothing is written. `role` ("orchestrator", "node",
/// "agent", ...) stands in every line. Errors: bad_input (level, format), unavailable (the file can
/// not be opened).
expected<void> open_log(const config::log_options& options, std::string_view role);

/// Stops the log.
void close_log();

/// A set of levels.
class log_levels {
public:
  constexpr log_levels() = default;
  /// This level and all above it.
  static constexpr log_levels from(log_level lowest) {
    log_levels result;
    for (auto level = lowest; level < log_level::off; level = next(level))
      result.put(level, true);
    return result;
  }

  constexpr bool has(log_level level) const {
    return (bits_ >> static_cast<unsigned>(level) & 1u) != 0;
  }
  /// `off` is in no set.
  constexpr void put(log_level level, bool is_in) {
    const auto bit = level == log_level::off ? 0u : 1u << static_cast<unsigned>(level);
    bits_ = static_cast<std::uint8_t>(is_in ? bits_ | bit : bits_ & ~bit);
  }

  bool operator==(const log_levels&) const = default;

private:
  static constexpr log_level next(log_level level) {
    return static_cast<log_level>(static_cast<unsigned>(level) + 1);
  }

  std::uint8_t bits_ = 0;
};

/// The levels that are written.
log_levels written_log_levels() noexcept;

/// Changes the levels that are written, for as long as the process runs.
void write_log_levels(log_levels levels);

/// Whether lines of this level are written: ask before a costly field is made.
bool is_logged(log_level level) noexcept;

/// Writes one line: ACTOR verb object, and its fields. Any thread may call it. Fields and words may
/// hold any bytes: what is not UTF-8 is replaced. A line is with the operating system on return: it
/// can be read at once, and outlasts the process.
///
///     log(log_level::warn, "REGISTRY", "lost node", {{"node_id", id}, {"reason", words}});
void log(log_level level, std::string_view actor, std::string_view message, log_fields fields = {});

}  // namespace dim::runtime
