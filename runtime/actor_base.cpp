#include "runtime/actor_base.hpp"

#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::runtime {

caf::error report_exception(const char* name, const std::exception_ptr& thrown) {
  std::string words = "unknown exception";
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    words = error.what();
  } catch (...) {
  }
  log(log_level::error, name, "threw", {{"reason", words}});
  return to_error(error_code::internal, "exception in " + std::string{name} + ": " + words);
}

void report_stray_error(const char* name, const caf::error& stray) {
  log(log_level::warn, name, "got an error that answers nothing",
      {{"reason", to_failure(stray).message}});
}

}  // namespace dim::runtime
