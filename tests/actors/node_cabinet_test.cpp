// Collaborative executions: NODE, CABINET RUN and a cabinet on disk, with a fake DEVICE.
#include <fstream>
#include <set>

#include "runtime/random_source.hpp"
#include "tests/actors/node_fixture.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;
using tests::node_fixture;

namespace {

struct cabinet_fixture : node_fixture {
  tests::temporary_folder folder;

  /// A cabinet "numbers" of `rows` rows (i, 2 i), besides a column that no model asks for.
  void add_cabinet(int rows) {
    std::string csv = "a,b,secret\n";
    for (int row = 0; row < rows; ++row)
      csv += std::to_string(row) + "," + std::to_string(2 * row) + ",7\n";
    tests::write_file(folder / "records.csv", csv);
    tests::write_file(folder / "cabinet.toml", R"(
name = "numbers"
[[tensors]]
name = "x"
datatype = "FP32"
shape = [2]
file = "records.csv"
columns = ["a", "b"]
[[tensors]]
name = "unused"
datatype = "FP32"
shape = [1]
file = "records.csv"
columns = ["secret"]
)");
    auto opened = models::cabinet::open(folder.path());
    REQUIRE(opened);
    arguments.cabinets.emplace("numbers", *opened);
  }

  static run_execution cabinet_order(const std::string& id = "a") {
    auto order = order_of(id);
    order.inputs.clear();
    order.cabinet = "numbers";
    order.reduce = reduction::mean;
    return order;
  }
};

}  // namespace

TEST_CASE("a cabinet's rows run in batches, two at a time, and only their reduction leaves") {
  cabinet_fixture f;
  f.add_cabinet(100);
  f.start();
  f.send(f.node, cabinet_fixture::cabinet_order());
  REQUIRE(f.device->runs.size() == 2);
  CHECK(f.device->runs[0].order.request.inputs.size() == 1);
  CHECK(f.device->runs[0].order.request.inputs[0].shape == std::vector<std::int64_t>{8, 2});
  f.send(f.node, cabinet_started{"a", 1});
  CHECK(f.orchestrator->started.size() == 1);
  while (!f.device->runs.empty())
    f.finish_run();
  CHECK(f.device->runs_total == 13);
  CHECK(f.device->runs_at_once == 2);
  auto& news = f.last_finished();
  REQUIRE(news.error.code == error_code::none);
  CHECK(news.rows == 100);
  REQUIRE(news.outputs.size() == 1);
  CHECK(news.outputs[0].name == "y");
  CHECK(tests::elements_of<double>(news.outputs[0]) == std::vector<double>{49.5, 99.0});
  CHECK(f.count_actors("CABINET RUN") == 0);
}

TEST_CASE("a model without batch dimension gets one row at a time") {
  cabinet_fixture f;
  f.add_cabinet(3);
  f.cache->spec = tests::pair_spec(0);
  f.cache->spec.inputs[0].dims = {2};
  f.device->echoes = true;
  f.start();
  f.send(f.node, cabinet_fixture::cabinet_order());
  CHECK(f.device->runs_total == 3);
  CHECK(f.last_finished().rows == 3);
  CHECK(tests::elements_of<double>(f.last_finished().outputs[0]) == std::vector<double>{1, 2});
}

TEST_CASE("a failing forward fails the run with words that tell nothing of the rows") {
  cabinet_fixture f;
  f.add_cabinet(100);
  f.start();
  f.send(f.node, cabinet_fixture::cabinet_order());
  f.device->next_answer.error = {error_code::internal, "the value 7 of the secret is odd", {"7"}};
  f.device->next_answer.logs = "died\nprint of a row: 7";
  f.device->next_answer.killed_agent = true;
  f.finish_run();
  CHECK(f.orchestrator->finished.empty());
  f.finish_run();
  auto& news = f.last_finished();
  CHECK(news.error.code == error_code::internal);
  CHECK(news.killed_agent);
  for (auto& text : {news.error.message, news.logs})
    CHECK(text.find('7') == std::string::npos);
  CHECK(news.error.details.empty());
  CHECK(news.outputs.empty());
  CHECK(f.device->runs_total == 2);
}

TEST_CASE("a cabinet that lacks the model's input, or is gone, fails the run") {
  cabinet_fixture f;
  f.add_cabinet(10);
  SUBCASE("no such input") {
    f.cache->spec.inputs[0].name = "z";
  }
  SUBCASE("the file is gone") {
    std::filesystem::remove(f.folder / "records.csv");
  }
  f.start();
  f.send(f.node, cabinet_fixture::cabinet_order());
  CHECK(f.last_finished().error.code == error_code::bad_input);
  CHECK(f.count_actors("CABINET RUN") == 0);
}

TEST_CASE("a cancelled run over a cabinet withdraws its rows and ends without a word") {
  cabinet_fixture f;
  f.add_cabinet(100);
  f.start();
  f.send(f.node, cabinet_fixture::cabinet_order());
  f.send(f.node, cancel_execution{"a", 1});
  CHECK(f.device->withdrawn.size() == 2);
  CHECK(f.count_actors("CABINET RUN") == 1);
  f.finish_run();
  f.finish_run();
  CHECK(f.device->runs_total == 2);
  CHECK(f.count_actors("CABINET RUN") == 0);
  CHECK(f.orchestrator->finished.empty());
}

TEST_CASE("a crashed run over a cabinet is told, and runs end with their node") {
  cabinet_fixture f;
  f.add_cabinet(100);
  f.start();
  f.send(f.node, cabinet_fixture::cabinet_order("a"));
  for (auto& handle : f.context().actors.handles())
    if (auto* actor = caf::actor_cast<caf::abstract_actor*>(handle);
        std::string{dynamic_cast<caf::local_actor*>(actor)->name()} == "CABINET RUN")
      f.kill(handle);
  CHECK(f.last_finished().error.code == error_code::agent_lost);
  f.send(f.node, cabinet_fixture::cabinet_order("b"));
  CHECK(f.count_actors("CABINET RUN") == 1);
  f.kill(f.node);
  CHECK(f.count_actors("CABINET RUN") == 0);
}

TEST_CASE("whatever is sent twice, lost, cancelled or failing, every execution has one end") {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    CAPTURE(seed);
    runtime::random_source random{seed};
    cabinet_fixture f;
    f.add_cabinet(20);
    f.arguments.options.queue_max = 8;
    f.start();
    std::set<std::string> cancelled;
    std::set<std::string> sent;
    auto finished = [&](const std::string& id) {
      for (auto& each : f.orchestrator->finished)
        if (each.execution_id == id)
          return true;
      return false;
    };
    auto pick = [&] { return std::to_string(random.below(40)); };
    for (int step = 0; step < 400; ++step) {
      auto id = pick();
      switch (random.below(8)) {
        case 0: case 1: {
          if (cancelled.contains(id))
            break;
          auto order = random.below(4) == 0 ? cabinet_fixture::cabinet_order(id)
                                            : node_fixture::order_of(id);
          order.time_left_ms = 600'000;
          sent.insert(id);
          f.send(f.node, order);
          break;
        }
        case 2:
          if (sent.contains(id) && random.below(3) == 0) {
            cancelled.insert(id);
            f.send(f.node, cancel_execution{id, 1});
          }
          break;
        case 3:
          if (finished(id))
            f.send(f.node, acknowledge_execution{id, 1});
          break;
        case 4:
          if (random.below(10) == 0) {
            f.kill(f.entry);
            f.bring_entry_up();
          }
          break;
        case 5:
          f.advance(std::int64_t(random.below(3'000)));
          break;
        default:
          if (f.device->runs.empty())
            break;
          if (random.below(4) == 0)
            f.device->next_answer.error = {error_code::agent_lost, "it died", {}};
          f.finish_run();
      }
      REQUIRE(f.device->runs.size() <= 4);
    }
    f.bring_entry_up();
    f.device->echoes = true;
    while (!f.device->runs.empty())
      f.finish_run();
    f.advance(30'000);
    for (auto& id : sent)
      CHECK((finished(id) || cancelled.contains(id)));
    CHECK(f.orchestrator->heartbeats.back().load.active.empty());
    CHECK(f.orchestrator->heartbeats.back().load.queued == 0);
    CHECK(f.count_actors("CABINET RUN") == 0);
  }
}
