#include "actors/engine/engine.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

/// The first pause between two looks at the clock, and the longest.
constexpr std::int64_t clock_pause_min_ms = 1'000;
constexpr std::int64_t clock_pause_max_ms = 30'000;

/// Two engines of one system must not make the same ids: FNV-1a over the job's id and the epoch.
std::uint64_t seed_for(std::uint64_t seed, const std::string& job_id, std::uint32_t epoch) {
  auto hash = 14695981039346656037ull ^ seed;
  for (const char letter : job_id + "/" + std::to_string(epoch))
    hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211ull;
  return hash;
}

}  // namespace

engine_state::~engine_state() {
  if (!run || run->is_over())
    return;
  if (auto target = scheduler.get())
    caf::anon_send(target, engine_gone{self->id(), run->in_hand()});
}

void engine_state::initialise(self_pointer pointer, engine_arguments values) {
  self = pointer;
  scheduler = values.scheduler;
  models = values.models;
  job = values.job;
  steps = values.spec.steps;
  const auto seed = values.seed != 0 ? values.seed : runtime::context_of(self->home_system()).seed;
  values.seed = seed_for(seed, values.job_id, values.epoch);
  run = std::make_unique<pattern_run>(static_cast<run_arguments&&>(values));
  self->set_exit_handler([this](const caf::exit_msg& news) { leave(news.reason); });
  // An actor can not quit before it has its behaviour, and the first step may be the last.
  self->send(self, deadline_due{});
}

void engine_state::begin_run() {
  has_begun = true;
  if (run->needs_model_specs())
    ask_for_specs();
  else
    start({});
}

void engine_state::ask_for_specs() {
  auto catalogue = models.get();
  if (!catalogue) {
    fail({error_code::unavailable, "the catalogue of models is away", {}});
    return;
  }
  specs.resize(steps.size());
  specs_missing = steps.size();
  for (std::size_t step = 0; step < steps.size(); ++step)
    self->request(catalogue, caf::infinite, find_model{steps[step].model, steps[step].version})
      .then(
        [this, step](model_entry& entry) {
          specs[step] = std::move(entry.spec);
          if (--specs_missing == 0)
            start(std::move(specs));
        },
        [this](const caf::error& what) { fail(runtime::to_failure(what)); });
}

void engine_state::start(std::vector<models::model_spec> model_specs) {
  carry_out(run->start(std::move(model_specs), now_ms()));
}

void engine_state::note_placed(const execution_placed& news) {
  carry_out(run->placed(news, now_ms()));
}

void engine_state::note_running(const execution_running& news) {
  carry_out(run->running(news, now_ms()));
}

void engine_state::note_ended(const execution_ended& news) {
  carry_out(run->ended(news, now_ms()));
}

void engine_state::retry(const retry_due& due) {
  carry_out(run->retry(due, now_ms()));
}

void engine_state::look_at_clock() {
  carry_out(run->look_at_clock(now_ms()));
  if (!has_begun && !run->is_over())
    begin_run();
  if (!run->is_over() && now_ms() >= next_tick_ms)
    watch_clock();
}

void engine_state::stop() {
  carry_out(run->stop(now_ms()));
  self->quit();
}

void engine_state::leave(const caf::error& reason) {
  if (reason == caf::exit_reason::normal || !reason)
    stop();
  else
    self->quit(reason);
}

void engine_state::fail(const runtime::failure& error) {
  carry_out(run->fail(error, now_ms()));
}

std::string engine_state::describe() const {
  return run->describe();
}

void engine_state::watch_clock() {
  clock_pause_ms = std::clamp(clock_pause_ms * 2, clock_pause_min_ms, clock_pause_max_ms);
  const auto left = std::max<std::int64_t>(run->next_look_ms() - now_ms(), 1);
  const auto pause = std::min(left, clock_pause_ms);
  next_tick_ms = now_ms() + pause;
  self->delayed_send(self, std::chrono::milliseconds{pause}, deadline_due{});
}

void engine_state::load_more(place_id place, const std::shared_ptr<output_loader>& loader) {
  auto wanted = loader->next();
  if (!wanted) {
    end_load(place, loader->finish());
    return;
  }
  auto source = models.get();
  if (!source) {
    end_load(place, runtime::fail(error_code::unavailable, "the store of outputs is away"));
    return;
  }
  self->request(source, caf::infinite, std::move(*wanted))
    .then(
      [this, place, loader](const chunk& part) {
        auto taken = loader->take(part);
        if (taken)
          load_more(place, loader);
        else
          end_load(place, tl::unexpected(taken.error()));
      },
      [this, place](const caf::error& what) {
        end_load(place, tl::unexpected(runtime::to_failure(what)));
      });
}

void engine_state::end_load(place_id place, runtime::expected<models::tensor_list> outputs) {
  carry_out(run->outputs_loaded(place, std::move(outputs), now_ms()));
}

void engine_state::carry_out(run_effects effects) {
  for (auto& effect : effects)
    effects_waiting.push_back(std::move(effect));
  if (is_sending)
    return;
  is_sending = true;
  while (!effects_waiting.empty()) {
    auto effect = std::move(effects_waiting.front());
    effects_waiting.pop_front();
    std::visit([this](auto& wish) { send(wish); }, effect);
  }
  is_sending = false;
  // Stragglers may have less time than the job had.
  if (has_begun && !run->is_over() && run->next_look_ms() < next_tick_ms)
    watch_clock();
}

void engine_state::send(place_executions& wish) {
  if (auto target = scheduler.get()) {
    self->send(target, std::move(wish));
    return;
  }
  for (auto& request : wish.group) {
    execution_ended refusal;
    refusal.execution_id = request.execution_id;
    refusal.error = {error_code::unavailable, "the scheduler is away", {}};
    self->send(self, std::move(refusal));
  }
}

void engine_state::send(withdraw_execution& wish) {
  if (auto target = scheduler.get())
    self->send(target, std::move(wish));
}

void engine_state::send(find_cabinet& question) {
  auto target = scheduler.get();
  if (!target) {
    fail({error_code::unavailable, "the scheduler is away", {}});
    return;
  }
  self->request(target, caf::infinite, std::move(question))
    .then([this](const cabinet_nodes& found) { carry_out(run->cabinet_found(found, now_ms())); },
          [this](const caf::error& what) { fail(runtime::to_failure(what)); });
}

void engine_state::send(retry_later& wish) {
  self->delayed_send(self, std::chrono::milliseconds{wish.delay_ms}, wish.due);
}

void engine_state::send(load_outputs& wish) {
  load_more(wish.place, std::make_shared<output_loader>(std::move(wish.outputs)));
}

void engine_state::send(save_step& wish) {
  const auto step = wish.step;
  self->request(job, caf::infinite, std::move(wish))
    .then([this](const step_saved& saved) { carry_out(run->step_saved(saved.step, now_ms())); },
          [this, step](const caf::error& what) {
            auto error = runtime::to_failure(what);
            error.message =
              "step " + std::to_string(step) + ": its outputs were not stored: " + error.message;
            fail(error);
          });
}

void engine_state::send(engine_done& news) {
  self->send(job, news);
  self->quit();
}

template <class News>
void engine_state::send(News& news) {
  self->send(job, std::move(news));
}

std::int64_t engine_state::now_ms() const {
  return runtime::wall_ms(self->home_system());
}

engine_actor::behavior_type engine(engine_state::self_pointer self, engine_arguments arguments) {
  auto& state = self->state;
  state.initialise(self, std::move(arguments));
  return {
    [&state](const execution_placed& news) { state.note_placed(news); },
    [&state](const execution_running& news) { state.note_running(news); },
    [&state](const execution_ended& news) { state.note_ended(news); },
    [&state](stop_engine) { state.stop(); },
    [&state](const retry_due& due) { state.retry(due); },
    [&state](deadline_due) { state.look_at_clock(); },
  };
}

}  // namespace dim::actors
