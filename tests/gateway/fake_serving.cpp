#include "tests/gateway/fake_serving.hpp"

#include <chrono>
#include <map>

#include <doctest/doctest.h>

#include "runtime/caf_errors.hpp"

namespace dim::tests {

using runtime::error_code;
using namespace std::chrono_literals;

serving_script::serving_script() {
  served.versions.push_back(simple_model());
}

void serving_script::note(const actors::run_inference& message) {
  std::lock_guard guard{mutex_};
  runs_.push_back(message);
  changed_.notify_all();
}

void serving_script::note(const actors::load_served_model& message) {
  std::lock_guard guard{mutex_};
  load_ = message;
}

void serving_script::note(const actors::unload_served_model& message) {
  std::lock_guard guard{mutex_};
  unload_ = message;
}

void serving_script::note_withdrawn(const std::string& id) {
  std::lock_guard guard{mutex_};
  withdrawn_.push_back(id);
  changed_.notify_all();
}

actors::run_inference serving_script::last_run() const {
  std::lock_guard guard{mutex_};
  REQUIRE(!runs_.empty());
  return runs_.back();
}

actors::load_served_model serving_script::last_load() const {
  std::lock_guard guard{mutex_};
  REQUIRE(load_);
  return *load_;
}

actors::unload_served_model serving_script::last_unload() const {
  std::lock_guard guard{mutex_};
  REQUIRE(unload_);
  return *unload_;
}

std::size_t serving_script::runs() const {
  std::lock_guard guard{mutex_};
  return runs_.size();
}

std::string serving_script::wait_run() {
  std::unique_lock guard{mutex_};
  REQUIRE(changed_.wait_for(guard, 20s, [this] { return !runs_.empty(); }));
  return runs_.back().request_id;
}

std::string serving_script::wait_withdrawn() {
  std::unique_lock guard{mutex_};
  REQUIRE(changed_.wait_for(guard, 20s, [this] { return !withdrawn_.empty(); }));
  return withdrawn_.back();
}

actors::served_version simple_model(const std::string& version) {
  actors::served_version result;
  result.state = actors::serving_state::ready;
  result.model.name = "simple";
  result.model.version = version;
  auto& spec = result.model.spec;
  spec.name = "simple";
  spec.kind = models::model_kind::add_sub;
  spec.max_batch_size = 8;
  for (auto index : {"0", "1"}) {
    spec.inputs.push_back({std::string{"INPUT"} + index, models::datatype::int32, {16}, {}});
    spec.outputs.push_back({std::string{"OUTPUT"} + index, models::datatype::int32, {16}, {}});
  }
  return result;
}

namespace {

actors::inference_done answer(const serving_script& script, const actors::run_inference& message) {
  actors::inference_done done;
  done.model = message.model;
  done.version = message.version.empty() ? "1" : message.version;
  done.error = script.run_failure;
  done.outputs = script.outputs.empty() ? message.inputs : script.outputs;
  for (std::size_t i = 0; script.outputs.empty() && i < done.outputs.size(); ++i)
    done.outputs[i].name = "OUTPUT" + std::to_string(i);
  return done;
}

}  // namespace

caf::message_handler serving_handlers(caf::event_based_actor* self,
                                      const std::shared_ptr<serving_script>& script) {
  auto held = std::make_shared<std::map<std::string, caf::response_promise>>();
  return {
    [self, script,
     held](const actors::run_inference& message) -> caf::result<actors::inference_done> {
      if (script->is_held)
        held->emplace(message.request_id, self->make_response_promise());
      script->note(message);
      if (script->is_held)
        return caf::delegated<actors::inference_done>{};
      return answer(*script, message);
    },
    [script, held](const actors::withdraw_inference& message) {
      script->note_withdrawn(message.request_id);
      actors::inference_done done;
      done.error = {error_code::cancelled, "the caller is gone", {}};
      if (auto found = held->find(message.request_id); found != held->end())
        found->second.deliver(std::move(done));
    },
    [script](const actors::get_served_models& message) -> caf::result<actors::served_models> {
      auto alias = script->served.aliases.find(message.name);
      auto& name = alias == script->served.aliases.end() ? message.name : alias->second.model;
      actors::served_models found;
      found.aliases = script->served.aliases;
      for (auto& each : script->served.versions)
        if (name.empty() || each.model.name == name)
          found.versions.push_back(each);
      if (!name.empty() && found.versions.empty())
        return runtime::to_error(error_code::model_not_found, "no such model");
      return found;
    },
    [script](const actors::load_served_model& message) -> caf::result<actors::served_models> {
      script->note(message);
      if (script->load_failure.code != error_code::none)
        return runtime::to_error(script->load_failure);
      return script->served;
    },
    [script](const actors::unload_served_model& message) {
      script->note(message);
      return script->served;
    },
    [script](const actors::set_model_alias& message) {
      script->served.aliases[message.alias] = message.target;
      if (message.target.model.empty())
        script->served.aliases.erase(message.alias);
      return message.target;
    },
    [script](
      const actors::get_model_statistics& message) -> caf::result<actors::model_statistics_list> {
      if (message.model == "unknown")
        return runtime::to_error(error_code::model_not_found, "no such model");
      return script->statistics;
    },
  };
}

}  // namespace dim::tests
