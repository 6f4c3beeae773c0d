#pragma once

#include <string>

#include "models/model_spec.hpp"
#include "models/toml_fields.hpp"

/// The part of `config.toml` that says how a model is served. Included by sources only.
namespace dim::models {

/// Reads `kind`, `response_cache`, `file`, [batching], [instances], [versions], [[warm_up]],
/// [[steps]] and [parameters].
void read_serving_sections(toml_fields& fields, model_spec& spec);

/// Writes the keys of the top level, and the sections, that differ from their defaults.
void write_serving_keys(std::string& text, const model_spec& spec);
void write_serving_sections(std::string& text, const model_spec& spec);

/// A TOML basic string.
std::string toml_quoted(const std::string& text);

}  // namespace dim::models
