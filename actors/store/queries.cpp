#include "actors/store/queries.hpp"

#include "actors/store/job_reader.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

template <class Reply, class Read>
caf::result<Reply> queries_state::answer(Read read) const {
  auto snapshot = database->read();
  if (!snapshot)
    return runtime::to_error(snapshot.error());
  runtime::expected<Reply> reply = read(*snapshot);
  if (!reply)
    return runtime::to_error(reply.error());
  return std::move(*reply);
}

caf::result<store_totals> queries_state::totals() const {
  return answer<store_totals>([this](const runtime::read_transaction& snapshot) {
    auto totals = read_totals(snapshot);
    if (totals) {
      totals->health = database->health();
      totals->read_only = totals->health != runtime::error_code::none;
    }
    return totals;
  });
}

std::string queries_state::describe() const {
  return std::string(to_string(database->health()));
}

queries_actor::behavior_type queries(queries_state::self_pointer self, database_pointer database) {
  auto& state = self->state;
  state.database = std::move(database);
  using snapshot = const runtime::read_transaction&;
  return {
    [&state](const get_job& request) {
      return state.answer<job_view>([&](snapshot x) { return read_job(x, request.id); });
    },
    [&state](const list_jobs& request) {
      return state.answer<job_page>([&](snapshot x) { return read_page(x, request); });
    },
    [&state](const get_array& request) {
      return state.answer<array_view>([&](snapshot x) { return read_array(x, request.id); });
    },
    [&state](const get_executions& request) {
      return state.answer<execution_list>(
        [&](snapshot x) { return read_executions(x, request.job_id); });
    },
    [&state](const get_history& request) {
      return state.answer<event_list>([&](snapshot x) { return read_history(x, request.job_id); });
    },
    [&state](const load_unfinished& request) {
      return state.answer<unfinished_jobs>(
        [&](snapshot x) { return read_unfinished(x, request.job_id); });
    },
    [&state](load_nodes) {
      return state.answer<stored_nodes>([](snapshot x) { return read_nodes(x); });
    },
    [&state](load_popularity) {
      return state.answer<popular_models>([](snapshot x) { return read_popularity(x); });
    },
    [&state](get_totals) { return state.totals(); },
  };
}

}  // namespace dim::actors
