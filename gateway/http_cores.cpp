#include "gateway/http_cores.hpp"

#include <cstddef>

namespace dim::gateway {

std::vector<std::uint32_t> cores_for_http(const config::options& options,
                                          std::vector<std::uint32_t> usable) {
  if (!options.gateway.bind_threads || !config::has_role(options, "node") || usable.size() < 2)
    return {};
  usable.erase(usable.begin(), usable.begin() + static_cast<std::ptrdiff_t>(usable.size() / 2));
  return usable;
}

}  // namespace dim::gateway
