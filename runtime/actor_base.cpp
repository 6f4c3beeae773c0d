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

}  // namespace dim::runtime
