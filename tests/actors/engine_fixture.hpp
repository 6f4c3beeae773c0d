#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "actors/engine/engine.hpp"
#include "tests/actors/engine_support.hpp"
#include "tests/support/actor_fixture.hpp"

namespace dim::tests {

/// An ENGINE between a fake JOB, SCHEDULER and MODELS that keep what they get.
struct engine_fixture : actor_fixture {
  /// What JOB and SCHEDULER got, in order.
  std::vector<actors::execution_changed> changes;
  std::vector<actors::engine_finished> finished;
  std::vector<actors::engine_failed> failed;
  std::vector<actors::straggler_scored> scored;
  std::vector<actors::save_step> saves;
  int done = 0;
  std::vector<actors::place_executions> groups;
  std::vector<std::string> withdrawn;
  std::vector<actors::engine_gone> gone;
  /// What MODELS hands out.
  models::tensor stored;
  bool refuses_steps = false;
  actors::engine_actor engine;
  actors::engine_arguments arguments;

  explicit engine_fixture(actors::pattern kind, std::size_t step_count = 1) {
    arguments.spec.kind = kind;
    arguments.spec.steps = steps(step_count);
    arguments.spec.inputs = {floats("x", {1, 2})};
    arguments.spec.cabinet = kind == actors::pattern::collaborative ? "patients" : "";
    arguments.job_id = "job";
    arguments.deadline_ms = runtime::wall_ms(sys()) + 300'000;
    arguments.job = caf::actor_cast<actors::job_actor>(fake_job());
    arguments.scheduler.set(caf::actor_cast<actors::scheduler_actor>(fake_scheduler()));
    arguments.models.set(caf::actor_cast<actors::models_actor>(fake_models()));
  }

  void start() {
    engine = sys().spawn(actors::engine, arguments);
    run();
  }

  caf::actor fake_job() {
    return fake<caf::actor>(
      [this](const actors::execution_changed& news) { changes.push_back(news); },
      [this](const actors::engine_finished& news) { finished.push_back(news); },
      [this](const actors::engine_failed& news) { failed.push_back(news); },
      [this](const actors::straggler_scored& news) { scored.push_back(news); },
      [this](actors::engine_done) { ++done; },
      [this](const actors::save_step& request) -> caf::result<actors::step_saved> {
        saves.push_back(request);
        if (refuses_steps)
          return runtime::to_error(runtime::error_code::store_full, "the disk is full");
        return actors::step_saved{request.step};
      });
  }

  caf::actor fake_scheduler() {
    return fake<caf::actor>(
      [this](const actors::place_executions& wish) { groups.push_back(wish); },
      [this](const actors::withdraw_execution& wish) { withdrawn.push_back(wish.execution_id); },
      [this](const actors::engine_gone& news) { gone.push_back(news); },
      [](const actors::find_cabinet&) {
        return actors::cabinet_nodes{{"b", "a"}, {}};
      });
  }

  caf::actor fake_models() {
    return fake<caf::actor>(
      [](const actors::find_model& question) -> caf::result<actors::model_entry> {
        if (question.name == "unknown")
          return runtime::to_error(runtime::error_code::model_not_found, "no such model");
        actors::model_entry entry;
        entry.spec = model_of(2, 2);
        return entry;
      },
      [this](const actors::fetch_chunk& wish) -> caf::result<actors::chunk> {
        if (wish.digest != stored.digest)
          return runtime::to_error(runtime::error_code::not_found, "no such blob");
        auto part = stored.data.view().substr(wish.offset, wish.length);
        return actors::chunk{runtime::bytes::copy_of(part), stored.byte_size};
      });
  }

  const actors::execution_request& request(std::size_t group, std::size_t index = 0) const {
    return groups.at(group).group.at(index);
  }

  void end(const actors::execution_request& what, const std::string& node,
           const models::tensor_list& outputs) {
    actors::execution_ended news;
    news.execution_id = what.execution_id;
    news.node_id = node;
    news.outputs = outputs;
    news.rows = 1;
    news.result_digest = models::canonical_digest(outputs);
    send(engine, news);
  }

  void break_down(const actors::execution_request& what, const std::string& node,
                  runtime::error_code code) {
    actors::execution_ended news;
    news.execution_id = what.execution_id;
    news.node_id = node;
    news.error = {code, "broken", {}};
    send(engine, news);
  }

  /// The one failure, whose engine has quit.
  runtime::error_code failure_code() {
    CHECK(done == 1);
    CHECK_FALSE(is_alive(engine));
    return failed.size() == 1 && finished.empty() ? failed[0].error.code
                                                  : runtime::error_code::none;
  }
};

}  // namespace dim::tests
