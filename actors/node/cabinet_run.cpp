#include "actors/node/cabinet_run.hpp"

#include <algorithm>
#include <utility>

#include "actors/type_ids.hpp"
#include "models/model_spec.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr std::uint64_t window = 2;

// Rows of one batch hold about this much at the most, whatever the model could take.
constexpr std::uint64_t batch_bytes_max = 4ull << 20;

std::uint64_t bytes_of_row(const models::cabinet& cabinet) {
  std::uint64_t bytes = 0;
  for (auto& column : cabinet.columns())
    bytes += models::element_count(column.row_shape).value_or(1) * models::size_of(column.type);
  return std::max<std::uint64_t>(1, bytes);
}

/// The same failure without words that could tell of rows.
runtime::failure without_rows(runtime::failure error) {
  switch (error.code) {
    case error_code::internal:
      return {error_code::internal, "the model failed on rows of the cabinet", {}};
    case error_code::bad_input:
      return {error_code::bad_input, "the rows of the cabinet do not fit the model", {}};
    default:
      return error;
  }
}

}  // namespace

cabinet_run_state::~cabinet_run_state() {
  if (!arguments || finished)
    return;
  infer_result ended;
  ended.error = {error_code::agent_lost, "the run over the cabinet was stopped", {}};
  caf::anon_send(arguments->owner, cabinet_finished{arguments->execution_id, arguments->epoch,
                                                    std::move(ended), 0});
}

void cabinet_run_state::initialise(cabinet_run_arguments values) {
  constexpr std::uint64_t time_left_max_ms = 1'000ull * 3'600 * 24 * 365;
  deadline_ms = runtime::clock_ns(self->system()) / 1'000'000 +
                static_cast<std::int64_t>(std::min(values.time_left_ms, time_left_max_ms));
  arguments.emplace(std::move(values));
  self->send(self, cabinet_due{});
}

runtime::expected<void> cabinet_run_state::open() {
  auto& spec = arguments->model.spec;
  auto names = arguments->cabinet.column_names();
  for (auto& input : spec.inputs)
    if (!input.is_optional && std::find(names.begin(), names.end(), input.name) == names.end())
      return runtime::fail(error_code::bad_input, "cabinet '" + arguments->cabinet.name() +
                                                    "' has no tensor '" + input.name + "'");
  auto made = models::row_reducer::create(arguments->reduce, spec.max_batch_size > 0);
  if (!made)
    return tl::unexpected(made.error());
  reducer.emplace(std::move(*made));
  auto opened = arguments->cabinet.read();
  if (!opened)
    return runtime::fail(error_code::bad_input, "a file of the cabinet can not be opened");
  reader.emplace(std::move(*opened));
  return {};
}

void cabinet_run_state::start_reading() {
  if (auto opened = open(); !opened)
    fail(opened.error());
  advance();
}

std::uint64_t cabinet_run_state::rows_of_batch() const {
  auto rows_max = arguments->model.spec.max_batch_size;
  if (rows_max <= 1)
    return 1;
  auto by_bytes = std::max<std::uint64_t>(1, batch_bytes_max / bytes_of_row(arguments->cabinet));
  return std::min(static_cast<std::uint64_t>(rows_max), by_bytes);
}

runtime::expected<models::tensor_list> cabinet_run_state::read_batch() {
  auto read = reader->next(rows_of_batch());
  if (!read)
    return runtime::fail(error_code::bad_input, "a file of the cabinet has changed or is broken");
  auto& spec = arguments->model.spec;
  models::tensor_list rows;
  for (auto& input : spec.inputs)
    for (auto& column : *read)
      if (column.name == input.name)
        rows.push_back(std::move(column));
  // A model without batch dimension takes one row as it is.
  if (spec.max_batch_size == 0)
    for (auto& row : rows)
      row.shape.erase(row.shape.begin());
  return rows;
}

void cabinet_run_state::advance() {
  while (in_flight < window && !at_end && result.error.code == error_code::none) {
    auto rows = read_batch();
    if (!rows)
      fail(rows.error());
    else if (rows->empty())
      at_end = true;
    else
      send_batch(std::move(*rows));
  }
  auto is_over = at_end || result.error.code != error_code::none;
  if (is_over && in_flight == 0)
    finish();
}

void cabinet_run_state::send_batch(models::tensor_list rows) {
  auto now = runtime::clock_ns(self->system()) / 1'000'000;
  auto left = static_cast<std::uint64_t>(std::max<std::int64_t>(0, deadline_ms - now));
  auto number = sent++;
  ++in_flight;
  infer request{arguments->key + "/" + std::to_string(number), std::move(rows),
                arguments->deterministic, left};
  calls.call(self, arguments->device, left + arguments->patience_ms, {},
             run_on_device{arguments->model, std::move(request)},
             [this, number](runtime::expected<infer_result> reply) {
               take(number, std::move(reply));
             });
}

void cabinet_run_state::take(std::uint64_t number, runtime::expected<infer_result> reply) {
  --in_flight;
  if (!reply) {
    fail({error_code::agent_lost, "the device does not answer", {}});
  } else if (reply->error.code != error_code::none) {
    fail(without_rows(std::move(reply->error)), reply->killed_agent);
  } else {
    result.forward_us += reply->forward_us;
    early.emplace(number, std::move(reply->outputs));
    // Sums of floating-point numbers depend on their order: it is that of the rows.
    while (!early.empty() && early.begin()->first == reduced) {
      if (auto added = reducer->add(early.begin()->second); !added)
        fail(added.error());
      early.erase(early.begin());
      ++reduced;
    }
  }
  advance();
}

void cabinet_run_state::note_forward() {
  if (std::exchange(told_started, true))
    return;
  self->send(arguments->owner, cabinet_started{arguments->execution_id, arguments->epoch});
}

void cabinet_run_state::stop() {
  fail({error_code::cancelled, "the caller withdrew it", {}});
  advance();
}

void cabinet_run_state::fail(runtime::failure error, bool killed_agent) {
  if (result.error.code != error_code::none)
    return;
  result.error = std::move(error);
  result.killed_agent = killed_agent;
  // The end of the agent's standard error is left out: a model may print its inputs.
  result.logs = killed_agent ? result.error.message : std::string{};
  for (auto number = reduced; number < sent; ++number)
    self->send(arguments->device, withdraw_on_device{arguments->model.key(),
                                                     arguments->key + "/" +
                                                       std::to_string(number)});
}

void cabinet_run_state::finish() {
  if (std::exchange(finished, true))
    return;
  cabinet_finished news{arguments->execution_id, arguments->epoch, std::move(result), 0};
  if (news.result.error.code == error_code::none) {
    auto reduction = reducer->finish();
    if (reduction) {
      news.result.outputs = std::move(reduction->outputs);
      news.rows = reduction->rows;
    } else {
      news.result.error = reduction.error();
    }
  }
  self->send(arguments->owner, std::move(news));
  self->quit();
}

std::string cabinet_run_state::describe() const {
  return "execution " + arguments->execution_id + ", cabinet " + arguments->cabinet.name() +
         ", batches " + std::to_string(reduced) + " reduced, " + std::to_string(in_flight) +
         " at the device";
}

cabinet_run_actor::behavior_type cabinet_run(cabinet_run_state::self_pointer self,
                                             cabinet_run_arguments arguments) {
  auto& state = self->state;
  state.initialise(std::move(arguments));
  return {
    [&state](stop_cabinet_run) { state.stop(); },
    [&state](const infer_started&) { state.note_forward(); },
    [&state](cabinet_due) { state.start_reading(); },
  };
}

}  // namespace dim::actors
