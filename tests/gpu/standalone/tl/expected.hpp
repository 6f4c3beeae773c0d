#pragma once

#include <expected>

/// Stands for the library of this name where only the standard one is there.
namespace tl {

template <class Value, class Error>
using expected = std::expected<Value, Error>;

template <class Error>
using unexpected = std::unexpected<Error>;

}  // namespace tl
