#pragma once

#include <string>
#include <vector>

#include "gateway/router.hpp"

namespace dim::gateway {

/// A filter that asks requests of some groups of the Open Inference Protocol for a header field.
/// Each entry is "group: header=value"; one of several for a group is enough. Without any of the
/// fields a request is 401, with a wrong value 403.
request_filter restrict_apis(const std::vector<std::string>& entries);

}  // namespace dim::gateway
