#include "actors/store/job_store.hpp"

#include <algorithm>
#include <chrono>

#include "actors/store/commit_batch.hpp"
#include "actors/store/records.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

using runtime::error_code;

namespace {

constexpr std::int64_t hour_ms = 3'600'000;
constexpr auto space_pause = std::chrono::seconds{1};
constexpr std::string_view space_key = "space_tried";

/// Whether the failure is of the store itself, and not of one commit.
bool is_of_store(error_code code) {
  return code == error_code::store_full || code == error_code::store_corrupt;
}

}  // namespace

store_arguments make_store_arguments(const config::options& options) {
  store_arguments arguments;
  arguments.commit_queue_max = options.store.commit_queue_max;
  arguments.commit_batch_max = options.store.commit_batch_max;
  arguments.sweep_interval_ms = options.store.sweep_interval_ms;
  arguments.retention = {options.orchestrator.job_retention_hours * hour_ms,
                         options.orchestrator.idempotency_retention_hours * hour_ms,
                         options.store.blob_retention_hours * hour_ms};
  return arguments;
}

void store_state::initialise(self_pointer pointer, store_arguments values) {
  self = pointer;
  arguments = std::move(values);
  self->set_exit_handler([this](caf::exit_msg& message) {
    flush_all();
    self->quit(std::move(message.reason));
  });
  self->delayed_send(self, std::chrono::milliseconds{arguments.sweep_interval_ms}, sweep_due{});
}

caf::result<commit_result> store_state::gather(commit_changes& request) {
  if (arguments.database->health() == error_code::store_corrupt)
    return runtime::to_error(error_code::store_corrupt, "the store is damaged and only reads");
  if (request.term != 0 && request.term < term)
    return runtime::to_error(error_code::conflict, "another dispatcher has taken over");
  term = std::max(term, request.term);
  if (waiting.size() >= arguments.commit_queue_max)
    return runtime::to_error(error_code::overloaded, "too many commits wait for the disk");
  auto promise = self->make_response_promise<commit_result>();
  waiting.push_back({std::move(request), promise, {}, std::nullopt});
  if (!std::exchange(is_flush_due, true))
    self->send(self, flush_due{});
  return promise;
}

void store_state::flush() {
  is_flush_due = false;
  const auto size = std::min<std::size_t>(waiting.size(), arguments.commit_batch_max);
  const auto end = waiting.begin() + static_cast<std::ptrdiff_t>(size);
  std::vector<waiting_commit> batch(std::make_move_iterator(waiting.begin()),
                                    std::make_move_iterator(end));
  waiting.erase(waiting.begin(), end);
  if (!waiting.empty() && !std::exchange(is_flush_due, true))
    self->send(self, flush_due{});
  const auto begun_ns = self->clock_now_ns();
  write_blobs(batch);
  auto written = write_batch(batch);
  meters.duration.observe(static_cast<double>(self->clock_now_ns() - begun_ns) / 1e9);
  answer(batch, written);
}

void store_state::flush_all() {
  while (!waiting.empty())
    flush();
}

void store_state::write_blobs(std::vector<waiting_commit>& batch) {
  const auto now = runtime::wall_ms(self->home_system());
  for (auto& commit : batch)
    for (const auto& blob : commit.request.blobs)
      if (auto done = arguments.blobs->write(blob.digest, blob.data.view(), now); !done)
        commit.refusal = std::move(done.error());
}

runtime::expected<void> store_state::write_batch(std::vector<waiting_commit>& batch) {
  while (true) {
    waiting_commit* offender = nullptr;
    auto written = arguments.database->write(
      [&](runtime::write_transaction& changes) -> runtime::expected<void> {
        event_counter counter{changes};
        for (auto& commit : batch) {
          if (commit.refusal)
            continue;
          auto applied = apply_commit(changes, commit.request, counter);
          if (!applied) {
            offender = &commit;
            return tl::unexpected(std::move(applied.error()));
          }
          commit.result = std::move(*applied);
        }
        return counter.finish();
      });
    if (written || offender == nullptr || is_of_store(written.error().code))
      return written;
    // One commit can not be applied: the others are written without it.
    offender->refusal = std::move(written.error());
  }
}

void store_state::answer(std::vector<waiting_commit>& batch,
                         const runtime::expected<void>& written) {
  if (!written)
    runtime::log(runtime::log_level::error, name, "could not commit",
                 {{"reason", written.error().message}});
  if (arguments.database->health() == error_code::store_full && !std::exchange(watches_space, true))
    self->delayed_send(self, space_pause, space_due{});
  events_committed news;
  for (auto& commit : batch) {
    if (commit.refusal || !written) {
      meters.refused.add();
      commit.promise.deliver(runtime::to_error(commit.refusal ? *commit.refusal
                                                              : written.error()));
      continue;
    }
    meters.written.add();
    if (commit.result.applied)
      std::move(commit.request.events.begin(), commit.request.events.end(),
                std::back_inserter(news.events));
    commit.promise.deliver(std::move(commit.result));
  }
  if (auto events = arguments.events.get(); events && !news.events.empty())
    self->send(events, std::move(news));
}

void store_state::try_space() {
  watches_space = false;
  if (arguments.database->health() != error_code::store_full)
    return;
  auto written = arguments.database->write([](runtime::write_transaction& changes) {
    return changes.put(tables::meta, space_key, "x");
  });
  if (written) {
    runtime::log(runtime::log_level::info, name, "has space again");
    return;
  }
  watches_space = true;
  self->delayed_send(self, space_pause, space_due{});
}

void store_state::sweep() {
  if (!search)
    search.emplace(*arguments.database, *arguments.blobs, arguments.retention,
                   runtime::wall_ms(self->home_system()));
  const auto more = search->step();
  if (more && *more) {
    self->send(self, sweep_due{});
    return;
  }
  if (!more)
    runtime::log(runtime::log_level::warn, name, "could not delete what is old",
                 {{"reason", more.error().message}});
  else if (search->jobs_removed() + search->blobs_removed() > 0)
    runtime::log(runtime::log_level::info, name, "deleted what is old",
                 {{"jobs", search->jobs_removed()}, {"blobs", search->blobs_removed()}});
  search.reset();
  self->delayed_send(self, std::chrono::milliseconds{arguments.sweep_interval_ms}, sweep_due{});
}

std::string store_state::describe() const {
  const auto health = arguments.database->health();
  return std::to_string(waiting.size()) + " commits wait, "
         + std::to_string(arguments.database->commits()) + " transactions"
         + (health == error_code::none ? "" : ", " + std::string(to_string(health)));
}

store_with_timers::behavior_type job_store(store_state::self_pointer self,
                                           store_arguments arguments) {
  auto& state = self->state;
  state.initialise(self, std::move(arguments));
  return {
    [&state](commit_changes& request) { return state.gather(request); },
    [&state](const flush_due&) { state.flush(); },
    [&state](space_due) { state.try_space(); },
    [&state](const sweep_due&) { state.sweep(); },
  };
}

}  // namespace dim::actors
