#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include "actors/type_ids.hpp"

namespace dim::tests {

/// What a fake of the serving actors has been told, and what it answers; shared with the test.
class serving_script {
public:
  serving_script();

  /// The answer to `run_inference`, unless it is held back or `run_failure` is set: the inputs,
  /// under the names OUTPUT0, OUTPUT1, ...
  runtime::failure run_failure;
  /// Answers that stand in place of the inputs.
  models::tensor_list outputs;
  bool is_held = false;
  actors::served_models served;
  actors::model_statistics_list statistics;
  runtime::failure load_failure;

  void note(const actors::run_inference& message);
  void note(const actors::load_served_model& message);
  void note(const actors::unload_served_model& message);
  void note_withdrawn(const std::string& id);

  /// The last of each; fails the test when there was none.
  actors::run_inference last_run() const;
  actors::load_served_model last_load() const;
  actors::unload_served_model last_unload() const;
  std::size_t runs() const;
  /// Waits until a request has come, or one was withdrawn; its id.
  std::string wait_run();
  std::string wait_withdrawn();

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<actors::run_inference> runs_;
  std::optional<actors::load_served_model> load_;
  std::optional<actors::unload_served_model> unload_;
  std::vector<std::string> withdrawn_;
};

/// A served version of a model with the inputs INPUT0 and INPUT1 and the outputs OUTPUT0 and
/// OUTPUT1, INT32 [16], batches of up to 8, as the well-known example model `simple`.
actors::served_version simple_model(const std::string& version = "1");

/// What a fake ENTRY does for serving.
caf::message_handler serving_handlers(caf::event_based_actor* self,
                                      const std::shared_ptr<serving_script>& script);

}  // namespace dim::tests
