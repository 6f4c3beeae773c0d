#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/model_spec.hpp"

/// Triton's model configuration (`config.pbtxt`, and the JSON of its repository extension), as far
/// as it says what a `model_spec` can say.
namespace dim::models {

/// What a configuration that is shown names as the file of an output's labels, wherever they are
/// from.
inline constexpr std::string_view shown_label_file = "labels.txt";

/// A configuration with what of it stands in other files.
struct triton_model {
  model_spec spec;
  /// Files in the model's folder with one label a line, by the output they belong to.
  std::map<std::string, std::string> label_files;
  /// Fields that are set and not used here, by name: unknown ones in their order, then known ones.
  std::vector<std::string> unused;
};

/// Reads the text of a `config.pbtxt`. Errors: bad_input (syntax with its line, or every problem in
/// `details`), unsupported (another backend than LibTorch).
runtime::expected<triton_model> parse_triton_text(std::string_view text);

/// Reads JSON of the same configuration, in which absent fields stay as in `base`. Errors: as
/// above.
runtime::expected<model_spec> parse_triton_json(std::string_view json, const model_spec& base);

/// Reads JSON of a whole configuration, with nothing under it, for the model `name`. Fields that
/// are not used are passed over. Errors: as above.
runtime::expected<triton_model> parse_whole_triton_json(std::string_view json,
                                                        const std::string& name);

/// The configuration as JSON with Triton's names, every field that has a value, numbers of 64 bits
/// as text: proto3's way.
std::string to_triton_json(const model_spec& spec);

/// Whether the model's configuration has a part on batching: it joins requests, or its queue has
/// rules.
bool has_batching(const model_spec& spec);

/// The labels of an output, which a configuration says to be in this file.
using label_source = std::function<runtime::expected<std::vector<std::string>>(
  const std::string& output, const std::string& file)>;

/// JSON of a configuration with labels in place of the files that it names, as `labels` of the
/// outputs, which is no field of Triton's: it says the same without the files. Errors: bad_input
/// (no JSON of a configuration), those of `labels_of`.
runtime::expected<std::string> put_labels(std::string_view json, const label_source& labels_of);

}  // namespace dim::models
