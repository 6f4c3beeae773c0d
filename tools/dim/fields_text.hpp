#pragma once

#include "tools/dim/console.hpp"
#include "tools/dim/json_fields.hpp"

namespace dim::tools {

/// Prints the members of an object, one a line: "jobs.completed   12". Objects inside are named by
/// their path; lists of texts and numbers stand on one line; members without a value are left out.
void print_fields(console& io, const json& object);

}  // namespace dim::tools
