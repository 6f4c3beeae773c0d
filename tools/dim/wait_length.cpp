#include "tools/dim/wait_length.hpp"

#include "tools/dim/session.hpp"

namespace dim::tools {

bool wait_length::is_shortened_by(const command_failure& why) {
  if (ms_ == 0 || !names_field(why, "wait_ms"))
    return false;
  ms_ /= 2;
  return true;
}

}  // namespace dim::tools
