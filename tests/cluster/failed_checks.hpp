#pragma once

#include <cstddef>

namespace dim::tests {

/// How many checks of this program have failed so far.
std::size_t failed_checks();

}  // namespace dim::tests
