// Models whose files come with the load: they never enter the repository.
#include <set>
#include <utility>

#include "actors/store/model_catalogue.hpp"
#include "models/sent_model.hpp"
#include "models/triton_config.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

using runtime::error_code;

namespace {

using labels = std::vector<std::string>;

/// The labels that the output has, if the file is the one that a shown configuration names.
labels shown_labels(const models::model_spec& spec, const std::string& output,
                    const std::string& file) {
  for (const models::tensor_spec& each : spec.outputs)
    if (each.name == output && file == models::shown_label_file)
      return each.labels;
  return {};
}

}  // namespace

runtime::expected<serving_table::load_plan> models_state::plan_sent(
  const load_served_model& request) {
  auto kept = keep_sent(request);
  if (!kept) {
    auto cause = kept.error();
    cause.message = "failed to load '" + request.name + "', " + cause.message;
    drop_sent();
    return tl::unexpected(std::move(cause));
  }
  auto plan = table.plan_sent(request.name, *kept);
  if (!plan)
    drop_sent();
  return plan;
}

runtime::expected<std::vector<model_entry>> models_state::keep_sent(
  const load_served_model& request) {
  if (!request.version.empty())
    return runtime::fail(error_code::bad_input,
                         "version: expected none beside files, whose configuration chooses them");
  auto model = models::read_sent_model(request.name, request.config_json, request.files);
  if (!model)
    return tl::unexpected(std::move(model.error()));
  for (const std::string& path : model->unused)
    runtime::log(runtime::log_level::warn, name, "has no use for a file that came with a load",
                 {{"model", request.name}, {"file", path}});
  const auto now = runtime::wall_ms(self->home_system());
  std::vector<model_entry> kept;
  for (const auto& [version, data] : model->versions) {
    auto digest = sent.put(data);
    if (!digest)
      return tl::unexpected(std::move(digest.error()));
    kept.push_back({request.name, std::to_string(version), std::move(*digest), data.size(), now,
                    model->spec});
  }
  return kept;
}

runtime::expected<std::string> models_state::labelled_config(
  const load_served_model& request) const {
  const auto model = arguments.repository->find(request.name, {});
  // Without a model, or a configuration, the load fails for that.
  if (!model || (request.config_json.empty() && request.files.empty()))
    return request.config_json;
  auto spec = model->spec;
  const auto& wishes = table.wishes().models;
  if (const auto wish = wishes.find(request.name); wish != wishes.end())
    if (auto overlaid = models::parse_triton_json(wish->second.config_json, spec))
      spec = std::move(*overlaid);
  std::set<std::string> used;
  const auto labels_of = [&](const std::string& output,
                             const std::string& file) -> runtime::expected<labels> {
    if (const auto sent_file = request.files.find(file); sent_file != request.files.end()) {
      used.insert(file);
      auto given = models::read_labels(sent_file->second.view());
      if (given.empty())
        return runtime::fail(error_code::bad_input,
                             "parameters.file:" + file + ": expected a label a line, got nothing");
      return given;
    }
    if (auto known = shown_labels(spec, output, file); !known.empty())
      return known;
    auto own = arguments.repository->labels_in(request.name, file);
    if (!own && own.error().code == error_code::not_found)
      return runtime::fail(error_code::bad_input, "parameters.file:" + file
                                                    + ": expected this file, which the "
                                                      "configuration names and the model's folder "
                                                      "does not have");
    return own;
  };
  const auto& given = request.config_json;
  auto config = models::put_labels(given.empty() ? "{}" : given, labels_of);
  for (const auto& [file, data] : request.files)
    if (config && !used.contains(file))
      return runtime::fail(error_code::bad_input,
                           "parameters.file:" + file
                             + ": expected a file of a version, or one that parameters.config "
                               "names as the label_filename of an output");
  return config;
}

void models_state::drop_sent() {
  auto needed = table.sent_digests();
  needed.insert(retiring.begin(), retiring.end());
  for (const auto& [model, run] : loads)
    for (const model_entry& entry : run.plan.sent)
      needed.insert(entry.digest);
  sent.keep_only(needed);
}

}  // namespace dim::actors
