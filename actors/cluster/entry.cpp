#include "actors/cluster/entry.hpp"

#include "actors/cluster/quarantine.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

namespace {

/// A handler that passes `Request` on to whoever is in `cell` and lets that actor answer.
template <class Reply, class Request, class Handle>
auto ask(entry_state::self_pointer self, runtime::service<Handle> cell) {
  return [self, cell](Request& request) -> caf::result<Reply> {
    auto target = cell.get();
    if (!target)
      return runtime::to_error(runtime::error_code::unavailable,
                               "a part of the orchestrator is starting; try again");
    return self->delegate(target, std::move(request));
  };
}

/// A handler that passes on a one-way message with its sender, or drops it while the actor is down:
/// whoever sent it repeats it or has a deadline.
template <class Request, class Handle>
auto tell(entry_state::self_pointer self, runtime::service<Handle> cell) {
  return [self, cell](Request& request) {
    if (auto target = cell.get())
      self->delegate(target, std::move(request));
  };
}

/// As `tell`, to SCHEDULER; but the end of a probe is for REGISTRY, who has sent it.
auto tell_of_end(entry_state::self_pointer self, const entry_arguments& to) {
  return [self, scheduler = to.scheduler, registry = to.registry](execution_finished& news) {
    if (!is_probe(news.execution_id)) {
      if (auto target = scheduler.get())
        self->delegate(target, std::move(news));
    } else if (auto target = registry.get()) {
      self->delegate(target, std::move(news));
    }
  };
}

caf::message_handler inference_rows(entry_state::self_pointer self, const entry_arguments& to) {
  return {
    ask<inference_done, run_inference>(self, to.router),
    tell<withdraw_inference>(self, to.router),
    ask<model_statistics_list, get_model_statistics>(self, to.router),
    ask<inference_record_list, get_inference_records>(self, to.router),
  };
}

caf::message_handler job_rows(entry_state::self_pointer self, const entry_arguments& to) {
  return {
    ask<submit_result, submit_job>(self, to.dispatcher),
    ask<job_status, cancel_job>(self, to.dispatcher),
    ask<array_view, cancel_array>(self, to.dispatcher),
    ask<job_status, await_job>(self, to.dispatcher),
    ask<array_view, get_array>(self, to.queries),
    ask<job_view, get_job>(self, to.queries),
    ask<job_page, list_jobs>(self, to.queries),
    ask<execution_list, get_executions>(self, to.queries),
    ask<event_list, get_history>(self, to.queries),
    ask<event_list, read_events>(self, to.events),
  };
}

caf::message_handler cluster_rows(entry_state::self_pointer self, const entry_arguments& to) {
  return {
    [greeting = to.greeting](const runtime::greet_peer&) { return greeting; },
    ask<join_accepted, join_cluster>(self, to.registry),
    tell<node_heartbeat>(self, to.registry),
    ask<node_list, list_nodes>(self, to.registry),
    ask<node_record, get_node>(self, to.registry),
    ask<cluster_status, get_cluster_status>(self, to.registry),
    tell<execution_started>(self, to.scheduler),
    tell_of_end(self, to),
    ask<node_record, manage_node>(self, to.registry),
    ask<pause_placement, pause_placement>(self, to.scheduler),
  };
}

caf::message_handler model_rows(entry_state::self_pointer self, const entry_arguments& to) {
  return {
    ask<model_entry, find_model>(self, to.models),
    ask<model_list, list_models>(self, to.models),
    ask<upload_progress, upload_block>(self, to.models),
    ask<model_entry, finish_upload>(self, to.models),
    tell<abandon_upload>(self, to.models),
    ask<upload_progress, resume_upload>(self, to.models),
    ask<upload_progress, pause_upload>(self, to.models),
    ask<model_list, remove_model>(self, to.models),
    ask<chunk, fetch_chunk>(self, to.models),
    ask<served_models, get_served_models>(self, to.models),
    ask<served_models, load_served_model>(self, to.models),
    ask<served_models, unload_served_model>(self, to.models),
    ask<model_alias, set_model_alias>(self, to.models),
  };
}

caf::message_handler operator_rows(entry_state::self_pointer self, const entry_arguments& to) {
  return {
    ask<fault_injected, inject_fault>(self, to.faults),
    ask<fault_list, list_faults>(self, to.faults),
    ask<fault_list, clear_faults>(self, to.faults),
    tell<faults_report>(self, to.faults),
    ask<backup_status, start_backup>(self, to.backup),
    ask<backup_status, get_backup>(self, to.backup),
    ask<runtime::process_metrics, runtime::get_process_metrics>(self, to.directory),
    ask<runtime::stuck_actor_list, runtime::find_stuck_actors>(self, to.directory),
  };
}

}  // namespace

caf::behavior entry(entry_state::self_pointer self, entry_arguments to) {
  self->set_default_handler(caf::drop);
  return inference_rows(self, to)
    .or_else(job_rows(self, to))
    .or_else(cluster_rows(self, to))
    .or_else(model_rows(self, to))
    .or_else(operator_rows(self, to));
}

}  // namespace dim::actors
