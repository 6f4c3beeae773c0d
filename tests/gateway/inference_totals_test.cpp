#include "gateway/inference_totals.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace dim;
using nlohmann::json;

namespace {

actors::inference_record record(std::uint64_t total_us,
                                runtime::error_code code = runtime::error_code::none) {
  actors::inference_record result;
  result.total_us = total_us;
  result.code = code;
  return result;
}

json shown(const std::optional<gateway::inference_totals>& totals) {
  gateway::json_writer out;
  out.begin_object();
  gateway::write_inference_totals(out, totals);
  out.end_object();
  return json::parse(out.take())["inference"];
}

}  // namespace

TEST_CASE("the totals are the sums of all models, with quantiles of the newest good ones") {
  actors::model_statistics one;
  one.success.count = 3;
  one.fail.count = 1;
  one.pending = 2;
  one.inference_count = 12;
  one.execution_count = 3;
  actors::inference_record_list newest;
  for (std::uint64_t time = 100; time >= 1; --time)
    newest.records.push_back(record(time * 10));
  newest.records.push_back(record(9'999'999, runtime::error_code::timeout));
  auto totals = gateway::sum_inferences({{one, one}}, newest);
  CHECK(totals.successful == 6);
  CHECK(totals.failed == 2);
  CHECK(totals.p50_us == 510);
  CHECK(totals.p95_us == 950);
  auto written = shown(totals);
  CHECK(written["requests"] == 8);
  CHECK(written["pending"] == 4);
  CHECK(written["rows"] == 24);
  CHECK(written["forwards"] == 6);
  CHECK(written["p50_us"] == 510);
}

TEST_CASE("without an answered inference there are no quantiles, and without ROUTER no totals") {
  auto written = shown(gateway::sum_inferences({}, {}));
  CHECK(written["requests"] == 0);
  CHECK(written["p50_us"].is_null());
  CHECK(written["p95_us"].is_null());
  CHECK(shown(std::nullopt).is_null());
}
