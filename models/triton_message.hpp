#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/errors.hpp"

/// The message of Triton's model configuration in its two forms, protobuf's text and JSON. Included
/// by sources only.
namespace dim::models {

namespace triton {
class ModelConfig;
}

/// Reads protobuf's text format. A field that the message does not have is passed over, in every
/// form that the format allows, and named in `unknown`, once, in order. Errors: bad_input (syntax,
/// or messages nested too deeply), every problem with its line and column.
runtime::expected<void> read_message_text(std::string_view text, triton::ModelConfig& message,
                                          std::vector<std::string>& unknown);

/// Reads JSON; unknown fields are passed over. The message tells what is there from what is not,
/// also of numbers that are 0 and of lists that are empty. Errors: bad_input.
runtime::expected<void> read_message_json(std::string_view json, triton::ModelConfig& message);

/// Writes JSON that `read_message_json` reads back equal. `with_defaults` also writes what has no
/// value.
std::string write_message_json(const triton::ModelConfig& message, bool with_defaults);

/// Fields that are set in `over` take the place of those in `base`, whatever they are set to.
void lay_over(triton::ModelConfig& base, const triton::ModelConfig& over);

}  // namespace dim::models
