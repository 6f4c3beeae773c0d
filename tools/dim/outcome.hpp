#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace dim::tools {

/// The exit statuses of `dim`, also of a command that failed.
enum class exit_status : int {
  done = 0,
  failed = 1,       ///< The job failed, or the server said no.
  usage = 2,        ///< The command line, or a file that it names, is wrong.
  unreachable = 3,  ///< No answer came.
};

/// Why a command ends.
struct command_failure {
  exit_status status = exit_status::failed;
  std::string message;
  /// The server's code; empty for failures of this side.
  std::string code;
  /// Each single problem.
  std::vector<std::string> details;
};

template <class T>
using outcome = tl::expected<T, command_failure>;

inline tl::unexpected<command_failure> fail(exit_status status, std::string message,
                                            std::vector<std::string> details = {}) {
  return tl::unexpected<command_failure>({status, std::move(message), "", std::move(details)});
}

}  // namespace dim::tools
