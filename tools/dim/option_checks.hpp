#pragma once

#include <CLI/CLI.hpp>

/// What the options of commands accept; a refusal says what was expected.
namespace dim::tools {

/// A text of at least one character: an empty variable of a script names nothing.
CLI::Validator not_empty();

/// A number above 0.
CLI::Validator above_zero();

/// 0, or a number above it.
CLI::Validator not_negative();

}  // namespace dim::tools
