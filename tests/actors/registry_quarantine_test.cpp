// Nodes that are kept from new work: quarantine with its probes, and drain by hand.
#include <doctest/doctest.h>

#include "actors/cluster/quarantine.hpp"
#include "tests/actors/registry_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;

namespace {

/// One member, and a catalogue with one model.
struct quarantine_fixture : tests::registry_fixture {
  caf::actor handle;

  quarantine_fixture() {
    catalogue.models = {{"digits", "1", std::string(64, 'd'), 10, 0, {}}};
    catalogue.models[0].spec.inputs = {{"x", models::datatype::fp32, {2}, {}}};
  }

  void join(std::uint64_t incarnation = 1) {
    handle = new_node();
    REQUIRE(ask<join_accepted>(registry, join_of(handle, incarnation)).has_value());
  }

  void end_execution(error_code code) {
    send(registry, execution_counted{"node-0001", code == error_code::none, code, "digits", "1"});
  }

  void fail_three_times() {
    for (auto code : {error_code::agent_lost, error_code::agent_timeout, error_code::internal})
      end_execution(code);
  }

  void beat(std::uint64_t incarnation = 1, bool draining = false) {
    send_from(handle, registry, node_heartbeat{"node-0001", incarnation, draining, {}, {}});
  }

  /// Moves time on, with heartbeats.
  void live(std::int64_t seconds, std::uint64_t incarnation = 1) {
    for (; seconds > 0; --seconds) {
      beat(incarnation);
      advance(1'000);
    }
  }

  std::vector<run_execution> probes() const {
    return node_box->all<run_execution>();
  }

  void answer_probe(error_code code, std::uint64_t incarnation = 1) {
    REQUIRE_FALSE(probes().empty());
    execution_finished news;
    news.node_id = "node-0001";
    news.incarnation = incarnation;
    news.execution_id = probes().back().execution_id;
    news.epoch = probes().back().epoch;
    news.error.code = code;
    send(registry, news);
  }

  node_record manage(node_wish wish) {
    return ask<node_record>(registry, manage_node{"clinic", wish}).value();
  }
};

}  // namespace

TEST_CASE("three failures in a row quarantine a node: stored, told, and with an event") {
  quarantine_fixture f;
  f.start();
  f.join();
  f.fail_three_times();
  CHECK(f.node().state == node_state::quarantined);
  CHECK(f.node().quarantine.active);
  CHECK(f.node().failed_jobs == 3);
  CHECK(f.events_of("node_quarantined") == 1);
  CHECK(f.scheduler_box->all<node_updated>().back().record.state == node_state::quarantined);
  CHECK(f.scheduler_box->count<node_lost>() == 0);
  f.beat();
  CHECK(f.node().state == node_state::quarantined);
  CHECK(refusal_of_quarantine(f.node().quarantine).find("internal") != std::string::npos);
}

TEST_CASE("a quarantined node is probed with the model that failed, and released by good probes") {
  quarantine_fixture f;
  f.start();
  f.join();
  f.fail_three_times();
  f.live(4);
  CHECK(f.probes().empty());
  for (std::size_t count = 1; count <= 3; ++count) {
    f.live(6);
    REQUIRE(f.probes().size() == count);
    CHECK(is_probe(f.probes().back().execution_id));
    CHECK(f.probes().back().model == "digits");
    CHECK(f.probes().back().inputs.size() == 1);
    CHECK(f.node().state == node_state::quarantined);
    f.answer_probe(error_code::none);
  }
  CHECK(f.node().state == node_state::online);
  CHECK(f.events_of("node_released") == 1);
  CHECK(f.node().quarantine == quarantine_record{});
  CHECK(f.node_box->count<acknowledge_execution>() == 3);
  // Probes count in no statistics and no reputation.
  CHECK(f.node().total_jobs_run == 3);
  CHECK(double(f.node().reputation) == 100.0);
  f.live(30);
  CHECK(f.probes().size() == 3);
}

TEST_CASE("a bad probe starts the count anew, and the next one waits longer") {
  quarantine_fixture f;
  f.start();
  f.join();
  f.fail_three_times();
  f.live(6);
  f.answer_probe(error_code::none);
  f.live(6);
  f.answer_probe(error_code::agent_lost);
  CHECK(f.node().quarantine.probes_good == 0);
  CHECK(f.node().quarantine.probes_bad == 1);
  f.live(9);
  CHECK(f.probes().size() == 2);
  f.live(2);
  CHECK(f.probes().size() == 3);
  CHECK(f.events_of("node_released") == 0);
}

TEST_CASE("a probe without an answer is withdrawn and bad, and its late answer changes nothing") {
  quarantine_fixture f;
  f.start();
  f.join();
  f.fail_three_times();
  f.live(6);
  REQUIRE(f.probes().size() == 1);
  CHECK(f.probes()[0].time_left_ms == 10'000);
  f.live(11);
  CHECK(f.node_box->count<cancel_execution>() == 1);
  CHECK(f.node().quarantine.probes_bad == 1);
  f.answer_probe(error_code::none);
  CHECK(f.node().quarantine.probes_good == 0);
}

TEST_CASE("a probe whose bytes are damaged is bad") {
  quarantine_fixture f;
  f.start();
  f.join();
  f.fail_three_times();
  f.live(6);
  execution_finished news;
  news.node_id = "node-0001";
  news.incarnation = 1;
  news.execution_id = f.probes().back().execution_id;
  news.outputs = {models::make_tensor("y", models::datatype::uint8, {2}, {'a', 'b'})};
  news.outputs[0].data = runtime::bytes{std::vector<char>{'a', 'c'}};
  f.send(f.registry, news);
  CHECK(f.node().quarantine.probes_bad == 1);
}

TEST_CASE("quarantine outlives the loss of the node, its return, and a restart of the registry") {
  quarantine_fixture f;
  f.start();
  f.join();
  f.fail_three_times();
  f.kill(f.handle);
  CHECK(f.node().state == node_state::offline);
  f.join(2);
  CHECK(f.node().state == node_state::quarantined);
  f.stored.nodes = {f.node()};
  f.kill(f.registry);
  f.start();
  f.join(3);
  CHECK(f.node().state == node_state::quarantined);
  for (int count = 0; count < 3; ++count) {
    f.live(6, 3);
    f.answer_probe(error_code::none, 3);
  }
  CHECK(f.node().state == node_state::online);
}

TEST_CASE("a probe takes another model when the one that failed is gone, and needs any at all") {
  quarantine_fixture f;
  f.catalogue.models[0].name = "other";
  f.start();
  f.join();
  f.fail_three_times();
  f.live(6);
  REQUIRE(f.probes().size() == 1);
  CHECK(f.probes()[0].model == "other");
  f.answer_probe(error_code::none);
  f.catalogue.models.clear();
  f.live(30);
  CHECK(f.probes().size() == 1);
  CHECK(f.node().quarantine.probes_good == 1);
  CHECK(f.node().quarantine.probes_bad == 0);
}

TEST_CASE("what a node refuses or gives back while it drains is none of its failures") {
  quarantine_fixture f;
  f.start();
  f.join();
  for (int count = 0; count < 4; ++count) {
    f.end_execution(error_code::overloaded);
    f.end_execution(error_code::unavailable);
  }
  f.beat(1, true);
  f.end_execution(error_code::node_lost);
  CHECK(f.node().total_jobs_run == 0);
  CHECK(f.node().failed_jobs == 0);
}

TEST_CASE("quarantine by hand gets no probes and ends by hand") {
  quarantine_fixture f;
  f.start();
  f.join();
  CHECK(f.manage(node_wish::quarantine).state == node_state::quarantined);
  f.live(60);
  CHECK(f.probes().empty());
  CHECK(f.node().state == node_state::quarantined);
  CHECK(f.manage(node_wish::release).state == node_state::online);
  CHECK(f.events_of("node_quarantined") == 1);
  CHECK(f.events_of("node_released") == 1);
  auto unknown = f.ask<node_record>(f.registry, manage_node{"nobody", node_wish::drain});
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().code == error_code::not_found);
}

TEST_CASE("a node that is drained by hand is told so, also after it has joined again") {
  quarantine_fixture f;
  f.start();
  f.join();
  CHECK(f.manage(node_wish::drain).state == node_state::draining);
  REQUIRE(f.node_box->count<set_draining>() == 1);
  CHECK(f.node_box->all<set_draining>()[0].draining);
  f.kill(f.handle, caf::exit_reason::user_shutdown);
  CHECK(double(f.node().reputation) == 100.0);
  CHECK(f.events_of("node_left") == 1);
  f.join(2);
  CHECK(f.node().state == node_state::draining);
  CHECK(f.node_box->count<set_draining>() == 2);
  f.beat(2);
  CHECK(f.node().state == node_state::draining);
  CHECK(f.manage(node_wish::undrain).state == node_state::online);
  CHECK_FALSE(f.node_box->all<set_draining>().back().draining);
}
