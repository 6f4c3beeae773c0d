#pragma once

#include <string>

#include "actors/router/messages.hpp"

namespace dim::gateway {

/// Whether `left` is the lower version; both are whole numbers as text.
bool is_lower_version(const std::string& left, const std::string& right) noexcept;

/// The version that a request for `name` means, of those that MODELS told of it: `version`, or when
/// that is empty what the alias `name` says, or else the highest that is ready. Null when there is
/// none.
const actors::served_version* find_served(const actors::served_models& models,
                                          const std::string& name, const std::string& version);

/// The same for a request that needs it ready. Errors, in the words of ROUTER, who has them for
/// requests that come to it unseen: model_not_found; unavailable (known, but not ready).
runtime::expected<const actors::served_version*> find_ready(const actors::served_models& models,
                                                            const std::string& name,
                                                            const std::string& version);

}  // namespace dim::gateway
