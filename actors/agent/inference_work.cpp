#include "actors/agent/inference_work.hpp"

#include <chrono>
#include <exception>
#include <new>
#include <utility>

#include "models/batch.hpp"
#include "models/builtin.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

using clock = std::chrono::steady_clock;

std::uint64_t nanoseconds(clock::duration spent) {
  return static_cast<std::uint64_t>(
    std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count());
}

/// Runs `work`, which gives an `expected`; what a library throws becomes a failure.
template <class Work>
auto guarded(Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return runtime::fail(error_code::memory_limit, "no memory is left");
  } catch (const std::exception& problem) {
    return runtime::fail(error_code::internal, problem.what());
  }
}

}  // namespace

runtime::expected<model_loaded> inference_work::load(const load_model& order) {
  auto begin = clock::now();
  spec = order.spec;
  is_builtin = models::is_builtin(spec.kind);
  if (is_builtin)
    return model_loaded{nanoseconds(clock::now() - begin) / 1'000, 0};
  auto loaded = guarded([&] {
    return models::model::load(order.path, order.spec, order.device, order.threads);
  });
  if (!loaded)
    return tl::unexpected(loaded.error());
  model.emplace(std::move(*loaded));
  return model_loaded{nanoseconds(clock::now() - begin) / 1'000, model->memory_bytes()};
}

std::size_t inference_work::rows_of(const run_batch& order) const {
  std::int64_t rows = 0;
  for (auto& each : order.requests)
    rows += models::row_count(spec, each);
  return static_cast<std::size_t>(rows);
}

runtime::expected<batch_result> inference_work::run(const run_batch& order) {
  if (!model && !is_builtin)
    return runtime::fail(error_code::internal, "no model is loaded");
  auto begin = clock::now();
  auto joined_at = begin;
  auto ran_at = begin;
  auto split = guarded([&]() -> runtime::expected<std::vector<models::tensor_list>> {
    auto joined = models::join_batch(spec, order.requests);
    if (!joined)
      return tl::unexpected(joined.error());
    joined_at = clock::now();
    auto outputs = is_builtin ? models::run_builtin(spec, joined->inputs)
                              : model->run(joined->inputs, order.deterministic);
    if (!outputs)
      return tl::unexpected(outputs.error());
    ran_at = clock::now();
    return models::split_batch(*outputs, joined->rows, order.digests);
  });
  if (!split)
    return tl::unexpected(split.error());
  ++batches;
  auto end = clock::now();
  inference_times times{0, nanoseconds(joined_at - begin), nanoseconds(ran_at - joined_at),
                        nanoseconds(end - ran_at)};
  return batch_result{order.batch_id, std::move(*split), nanoseconds(end - begin) / 1'000, times};
}

std::string inference_work::describe() const {
  return spec.name + ", batches " + std::to_string(batches);
}

}  // namespace dim::actors
