#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

/// The project's error codes, and the failure that carries one. Free of CAF: see caf_errors.hpp for
/// the way between actors.
namespace dim::runtime {

/// Why something was not done. The name (`to_string`) is what users see as `code`; the gateway maps
/// each to one HTTP status.
enum class error_code : std::uint8_t {
  none = 0,           ///< No error.
  bad_input,          ///< The request is wrong and will stay wrong.
  not_found,          ///< The named job, node or blob does not exist.
  model_not_found,    ///< No such model or version.
  bad_model,          ///< The file is not a TorchScript program that fits its configuration.
  unsupported,        ///< A valid wish that this version can not fulfil.
  conflict,           ///< The state does not allow it, or the key was used for another request.
  too_large,          ///< A size is over its limit.
  unauthorized,       ///< No credential, or a wrong one.
  forbidden,          ///< The credential does not allow it.
  overloaded,         ///< A queue is full; try again later.
  unavailable,        ///< The service is starting, restarting, draining or read-only.
  expired,            ///< No time was left before the work began.
  timeout,            ///< The work did not end in its time.
  cancelled,          ///< The caller withdrew it.
  no_nodes,           ///< Too few nodes fit, or none was free in time.
  no_consensus,       ///< The answers do not agree.
  node_lost,          ///< The node went away with the work in hand.
  agent_lost,         ///< The agent process died.
  agent_timeout,      ///< The agent process was killed at its timeout.
  memory_limit,       ///< The agent process went beyond its memory limit, or the device is full.
  poison_input,       ///< The input has killed agents on two nodes.
  corrupt,            ///< Bytes do not have the digest they were sent with.
  store_corrupt,      ///< A stored value does not have its checksum.
  store_full,         ///< The disk or the store's map is full.
  protocol_mismatch,  ///< The peer belongs to another cluster or speaks another protocol.
  internal,           ///< A defect of this program.
};

/// The number of codes, for tables.
inline constexpr std::size_t error_code_count = static_cast<std::size_t>(error_code::internal) + 1;

/// The highest value, by which a stored number is checked.
constexpr error_code last_value(error_code) noexcept {
  return error_code::internal;
}

/// The code's name as users see it, such as "model_not_found".
std::string_view to_string(error_code code) noexcept;

/// One sentence that explains the code.
std::string_view sentence_of(error_code code) noexcept;

/// The code with this name; `internal` when there is none.
error_code error_code_from(std::string_view name) noexcept;

/// Whether the same work may succeed on another node or later. False for what can not heal
/// (`bad_input`, `model_not_found`, `bad_model`, `unsupported`, `poison_input`, ...).
bool is_retryable(error_code code) noexcept;

/// An error code with its explanation.
struct failure {
  error_code code = error_code::none;
  /// What happened, in words for the person who asked.
  std::string message;
  /// Each single problem, where there are several ("inputs[0].shape[1]: expected 64, got 63").
  std::vector<std::string> details;

  bool operator==(const failure&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, failure& x) {
  return f(x.code, x.message, x.details);
}

/// A value, or the failure that stands in its place.
template <class T>
using expected = tl::expected<T, failure>;

/// Makes the failure side of an `expected`.
inline tl::unexpected<failure> fail(error_code code, std::string message,
                                    std::vector<std::string> details = {}) {
  return tl::unexpected<failure>(failure{code, std::move(message), std::move(details)});
}

}  // namespace dim::runtime
