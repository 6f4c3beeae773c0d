// Models whose files come with the load: they never enter the repository.
#include <utility>

#include "actors/store/model_catalogue.hpp"
#include "models/sent_model.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

using runtime::error_code;

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

void models_state::drop_sent() {
  auto needed = table.sent_digests();
  needed.insert(retiring.begin(), retiring.end());
  for (const auto& [model, run] : loads)
    for (const model_entry& entry : run.plan.sent)
      needed.insert(entry.digest);
  sent.keep_only(needed);
}

}  // namespace dim::actors
