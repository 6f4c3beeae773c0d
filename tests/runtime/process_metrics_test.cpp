#include "runtime/process_metrics.hpp"

#include <doctest/doctest.h>

#include "runtime/directory.hpp"
#include "runtime/metrics.hpp"
#include "tests/runtime/tree_fixture.hpp"

using namespace dim;
using namespace dim::tests;

namespace {

/// The value behind `series` in `text`; -1 when it is not there.
double value_of(const std::string& text, const std::string& series) {
  auto at = ("\n" + text).find("\n" + series + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 1));
}

}  // namespace

TEST_CASE("a process shows its memory, its time, its files and its actors by name") {
  tree_fixture f;
  f.start({"ROOT", runtime::restart_strategy::one_for_one, {}, {f.child("a"), f.child("b")}});
  f.advance(1'000);
  auto shown = runtime::show_process("here", f.sys());
  auto text = runtime::metrics_text();
  CAPTURE(text);
  CHECK(value_of(text, "process_resident_memory_bytes{process=\"here\"}") > 1'000'000);
  CHECK(value_of(text, "process_cpu_seconds_total{process=\"here\"}") >= 0);
  CHECK(value_of(text, "process_open_fds{process=\"here\"}") >= 3);
  CHECK(value_of(text, "process_start_time_seconds{process=\"here\"}") > 1.7e9);
  CHECK(value_of(text, "dim_actors{process=\"here\",actor=\"ROOT\"}") == 1);
  CHECK(value_of(text, "dim_actors{process=\"here\",actor=\"WORKER\"}") == 2);
  CHECK(value_of(text, "dim_actor_mailbox_messages{process=\"here\",actor=\"WORKER\"}") == 0);
  CHECK(value_of(text, "dim_actor_mailbox_messages_peak{process=\"here\",actor=\"ROOT\"}") >= 1);
}

TEST_CASE("the directory answers with what its process has counted, and whose it is") {
  tree_fixture f;
  runtime::service<runtime::directory_actor> cell;
  f.start({"ROOT",
           runtime::restart_strategy::one_for_one,
           {},
           {runtime::make_child("DIRECTORY", cell, [](caf::local_actor& parent) {
             return parent.spawn(runtime::directory);
           })}});
  f.advance(1'000);
  auto counter = runtime::counter_of(runtime::metric::execution_retries);
  counter.add(5);
  auto answer = f.ask<runtime::process_metrics>(cell.get(), runtime::get_process_metrics{});
  REQUIRE(answer);
  CHECK(answer->process_number == runtime::process_number());
  CHECK(value_of(answer->text, "dim_execution_retries_total") == 5);
}
