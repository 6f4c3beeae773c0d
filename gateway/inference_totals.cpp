#include "gateway/inference_totals.hpp"

#include <algorithm>
#include <vector>

namespace dim::gateway {

namespace {

std::optional<std::uint64_t> quantile(const std::vector<std::uint64_t>& sorted, double share) {
  if (sorted.empty())
    return std::nullopt;
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5)];
}

void write_or_null(json_writer& out, std::string_view key,
                   const std::optional<std::uint64_t>& value) {
  out.key(key);
  if (value)
    out.value(*value);
  else
    out.null();
}

}  // namespace

inference_totals sum_inferences(const actors::model_statistics_list& models,
                                const actors::inference_record_list& newest) {
  inference_totals result;
  for (auto& model : models.models) {
    result.successful += model.success.count;
    result.failed += model.fail.count;
    result.pending += model.pending;
    result.rows += model.inference_count;
    result.forwards += model.execution_count;
  }
  std::vector<std::uint64_t> times;
  for (auto& record : newest.records)
    if (record.code == runtime::error_code::none)
      times.push_back(record.total_us);
  std::sort(times.begin(), times.end());
  result.p50_us = quantile(times, 0.5);
  result.p95_us = quantile(times, 0.95);
  return result;
}

void write_inference_totals(json_writer& out, const std::optional<inference_totals>& totals) {
  out.key("inference");
  if (!totals) {
    out.null();
    return;
  }
  out.begin_object();
  out.member("requests", totals->successful + totals->failed);
  out.member("successful", totals->successful);
  out.member("failed", totals->failed);
  out.member("pending", totals->pending);
  out.member("rows", totals->rows);
  out.member("forwards", totals->forwards);
  write_or_null(out, "p50_us", totals->p50_us);
  write_or_null(out, "p95_us", totals->p95_us);
  out.end_object();
}

}  // namespace dim::gateway
