#include "tests/gateway/fake_entry.hpp"

#include <chrono>

#include <doctest/doctest.h>

#include "runtime/caf_errors.hpp"

namespace dim::tests {

using runtime::error_code;

entry_script::entry_script() {
  status.jobs_by_state.resize(static_cast<std::size_t>(last_value(actors::job_state{})) + 1);
}

void entry_script::put_job(actors::job_view view) {
  std::lock_guard guard{mutex_};
  jobs_[view.record.id] = std::move(view);
}

std::optional<actors::job_view> entry_script::find_job(const std::string& id) const {
  std::lock_guard guard{mutex_};
  for (auto& [full_id, view] : jobs_)
    if (full_id.starts_with(id))
      return view;
  return std::nullopt;
}

void entry_script::complete(const std::string& id) {
  std::lock_guard guard{mutex_};
  jobs_.at(id).record.state = actors::job_state::completed;
}

void entry_script::note_awaited() {
  std::lock_guard guard{mutex_};
  ++awaited_;
  changed_.notify_all();
}

void entry_script::wait_awaited() {
  std::unique_lock guard{mutex_};
  REQUIRE(changed_.wait_for(guard, std::chrono::seconds{20}, [this] { return awaited_ > 0; }));
}

void entry_script::put_blob(const std::string& digest, runtime::bytes data) {
  std::lock_guard guard{mutex_};
  blobs_[digest] = std::move(data);
}

runtime::bytes entry_script::blob(const std::string& digest) const {
  std::lock_guard guard{mutex_};
  auto found = blobs_.find(digest);
  return found == blobs_.end() ? runtime::bytes{} : found->second;
}

void entry_script::note_submission(const actors::submit_job& message) {
  std::lock_guard guard{mutex_};
  submissions_.push_back(message);
}

void entry_script::note_filter(const std::string& array_id) {
  std::lock_guard guard{mutex_};
  array_filter_ = array_id;
}

std::string entry_script::array_filter() const {
  std::lock_guard guard{mutex_};
  return array_filter_;
}

std::vector<actors::submit_job> entry_script::submissions() const {
  std::lock_guard guard{mutex_};
  return submissions_;
}

void entry_script::note_block(const actors::upload_block& message) {
  std::lock_guard guard{mutex_};
  uploaded_ += message.data.view();
}

void entry_script::note_abandoned(const std::string&) {
  std::lock_guard guard{mutex_};
  ++abandoned_;
  changed_.notify_all();
}

void entry_script::note_fault(const actors::fault_order& order) {
  std::lock_guard guard{mutex_};
  fault_ = order;
}

actors::fault_order entry_script::last_fault() const {
  std::lock_guard guard{mutex_};
  return fault_;
}

std::uint64_t entry_script::uploaded() const {
  std::lock_guard guard{mutex_};
  return uploaded_.size();
}

std::string entry_script::uploaded_bytes() const {
  std::lock_guard guard{mutex_};
  return uploaded_;
}

std::size_t entry_script::abandoned() const {
  std::lock_guard guard{mutex_};
  return abandoned_;
}

void entry_script::wait_abandoned() {
  std::unique_lock guard{mutex_};
  REQUIRE(changed_.wait_for(guard, std::chrono::seconds{20}, [this] { return abandoned_ > 0; }));
}

bool entry_script::are_blocks_held() const {
  std::lock_guard guard{mutex_};
  return blocks_held_;
}

void entry_script::hold_blocks(bool held) {
  std::lock_guard guard{mutex_};
  blocks_held_ = held;
}

namespace {

/// Promises that wait for the test.
struct kept_promises {
  std::vector<std::pair<std::string, caf::response_promise>> waiting_for_job;
  std::vector<std::pair<caf::response_promise, std::uint64_t>> blocks;
};

caf::message_handler job_handlers(caf::event_based_actor* self,
                                  const std::shared_ptr<entry_script>& script,
                                  const std::shared_ptr<kept_promises>& kept) {
  return {
    [script](const actors::submit_job& message) -> caf::result<actors::submit_result> {
      if (script->submit_failure.code != error_code::none)
        return runtime::to_error(script->submit_failure);
      script->note_submission(message);
      if (!message.array.empty())
        return actors::submit_result{"0190a0a0-0000-7000-8000-000000000001",
                                     actors::job_state::pending,
                                     message.idempotency_key == "known",
                                     "0190a0a0-0000-7000-8000-0000000000aa",
                                     {"job-1", "job-2"}};
      return actors::submit_result{"0190a0a0-0000-7000-8000-000000000001",
                                   actors::job_state::pending, message.idempotency_key == "known"};
    },
    [script](const actors::get_job& message) -> caf::result<actors::job_view> {
      if (auto view = script->find_job(message.id))
        return *view;
      return runtime::to_error(error_code::not_found, "no such job");
    },
    [self, script, kept](const actors::await_job& message) -> caf::result<actors::job_status> {
      script->note_awaited();
      kept->waiting_for_job.emplace_back(message.id, self->make_response_promise());
      return caf::delegated<actors::job_status>{};
    },
    [script, kept](const actors::cancel_job& message) -> caf::result<actors::job_status> {
      auto view = script->find_job(message.id);
      if (!view)
        return runtime::to_error(error_code::not_found, "no such job");
      if (actors::is_terminal(view->record.state))
        return runtime::to_error(error_code::conflict, "it has ended");
      script->complete(view->record.id);
      actors::job_status status{view->record.id, actors::job_state::cancelled};
      for (auto& [id, promise] : kept->waiting_for_job)
        if (id == view->record.id)
          promise.deliver(status);
      return status;
    },
    [script](const actors::get_array& message) -> caf::result<actors::array_view> {
      if (script->array.id != message.id)
        return runtime::to_error(error_code::not_found, "no such array");
      return script->array;
    },
    [script](const actors::cancel_array& message) -> caf::result<actors::array_view> {
      if (script->array.id != message.id)
        return runtime::to_error(error_code::not_found, "no such array");
      auto cancelled = script->array;
      for (auto& each : cancelled.elements)
        if (!actors::is_terminal(each.state))
          each.state = actors::job_state::cancelled;
      return cancelled;
    },
    [script](const actors::list_jobs& message) {
      script->note_filter(message.array_id);
      actors::job_page page;
      page.next_cursor = "more";
      if (auto view = script->find_job(""))
        page.jobs.push_back(view->record);
      return page;
    },
    [script](const actors::get_executions&) { return script->executions; },
    [script](const actors::get_history&) { return script->events; },
  };
}

caf::message_handler model_handlers(caf::event_based_actor* self,
                                    const std::shared_ptr<entry_script>& script,
                                    const std::shared_ptr<kept_promises>& kept) {
  return {
    [self, script,
     kept](const actors::upload_block& message) -> caf::result<actors::upload_progress> {
      script->note_block(message);
      auto received = message.offset + message.data.size();
      if (!script->are_blocks_held())
        return actors::upload_progress{received};
      kept->blocks.emplace_back(self->make_response_promise(), received);
      return caf::delegated<actors::upload_progress>{};
    },
    [script](const actors::resume_upload&) { return script->resumed; },
    [script](const actors::finish_upload& message) -> caf::result<actors::model_entry> {
      if (script->finish_failure.code != error_code::none)
        return runtime::to_error(script->finish_failure);
      actors::model_entry entry;
      entry.name = message.name;
      entry.version = message.version.empty() ? "1" : message.version;
      entry.digest = message.digest;
      entry.byte_size = message.byte_size;
      entry.spec.description = message.config_toml;
      return entry;
    },
    [script](const actors::abandon_upload& message) { script->note_abandoned(message.upload_id); },
    [script](const actors::list_models&) { return script->models; },
    [script](const actors::remove_model&) { return script->models; },
    [script](const actors::find_model&) -> caf::result<actors::model_entry> {
      if (script->models.models.empty())
        return runtime::to_error(error_code::model_not_found, "no such model");
      return script->models.models.front();
    },
    [script](const actors::fetch_chunk& message) -> caf::result<actors::chunk> {
      auto blob = script->blob(message.digest);
      if (blob.size() < message.offset + message.length)
        return runtime::to_error(error_code::not_found, "no such blob");
      auto part = blob.view().substr(message.offset, message.length);
      return actors::chunk{runtime::bytes::copy_of(part), blob.size()};
    },
  };
}

caf::message_handler cluster_handlers(const std::shared_ptr<entry_script>& script,
                                      const std::shared_ptr<kept_promises>& kept) {
  return {
    [script](actors::get_cluster_status) { return script->status; },
    [script](runtime::find_stuck_actors) { return script->stuck; },
    [script](actors::list_nodes) { return script->nodes; },
    [script](const actors::get_node&) -> caf::result<actors::node_record> {
      if (script->nodes.nodes.empty())
        return runtime::to_error(error_code::not_found, "no such node");
      return script->nodes.nodes.front();
    },
    [](const actors::pause_placement& message) { return message; },
    [script](const actors::read_events& message) {
      actors::event_list page;
      for (auto& each : script->events.events)
        if (each.number > message.after && page.events.size() < message.max)
          page.events.push_back(each);
      return page;
    },
    [script](const actors::inject_fault& message) -> caf::result<actors::fault_injected> {
      if (!script->are_faults_enabled)
        return runtime::to_error(error_code::forbidden, "fault injection is not enabled");
      script->note_fault(message.order);
      return actors::fault_injected{"fault-1", {"node/a"}};
    },
    [script](actors::list_faults) {
      return actors::fault_list{{{{"node/a"}, 42, {"agent/m"}}}, {{script->last_fault(), 900, 7}}};
    },
    [script](const actors::clear_faults& message) -> caf::result<actors::fault_list> {
      if (message.id == "unknown")
        return runtime::to_error(error_code::not_found, "no such fault");
      return actors::fault_list{};
    },
    [script](const actors::manage_node& message) -> caf::result<actors::node_record> {
      if (script->nodes.nodes.empty())
        return runtime::to_error(error_code::not_found, "no such node");
      auto node = script->nodes.nodes.front();
      node.drain_wanted = message.wish == actors::node_wish::drain;
      node.quarantine.active = message.wish == actors::node_wish::quarantine;
      return node;
    },
    [](const actors::start_backup& message) {
      actors::backup_status status;
      status.state = actors::backup_state::running;
      status.folder = message.folder;
      return status;
    },
    [](actors::get_backup) {
      actors::backup_status status;
      status.state = actors::backup_state::failed;
      status.error = {error_code::store_full, "no space", {}};
      return status;
    },
    [script, kept](release_blocks) {
      script->hold_blocks(false);
      for (auto& [promise, received] : kept->blocks)
        promise.deliver(actors::upload_progress{received});
      kept->blocks.clear();
    },
  };
}

}  // namespace

caf::behavior fake_entry(caf::event_based_actor* self, std::shared_ptr<entry_script> script) {
  auto kept = std::make_shared<kept_promises>();
  return job_handlers(self, script, kept)
    .or_else(model_handlers(self, script, kept))
    .or_else(cluster_handlers(script, kept))
    .or_else(serving_handlers(self, script->serving));
}

}  // namespace dim::tests
