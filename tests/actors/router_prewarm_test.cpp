// ROUTER starts popular models before they are asked for, on nodes that have nothing else to do.
#include "actors/store/records.hpp"
#include "runtime/record_codec.hpp"
#include "tests/actors/router_fixture.hpp"

using namespace dim;
using namespace dim::tests;

namespace {

constexpr std::int64_t minute_ms = 60'000;

/// A ROUTER whose store remembers the popularity of models, over its restarts too.
struct prewarm_fixture : router_fixture {
  prewarm_fixture() {
    arguments.store.set(
      fake<store_actor>([this](const commit_changes& commit) -> caf::result<commit_result> {
        REQUIRE(commit.changes.size() == 1);
        CHECK(commit.changes[0].table == tables::meta);
        CHECK(commit.changes[0].key == popularity_key);
        ++commits;
        if (!store_works)
          return runtime::to_error(error_code::store_full, "no space");
        stored = *runtime::decode_record<popular_models>(commit.changes[0].value.view());
        return commit_result{true, {}, 0};
      }));
    auto queries = sys().spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {[this](load_popularity) -> caf::result<popular_models> {
        if (!store_works)
          return runtime::to_error(error_code::store_corrupt, "a bad record");
        return stored;
      }};
    });
    arguments.queries.set(caf::actor_cast<queries_actor>(queries));
    catalogue.versions = {{entry("a", "1"), serving_state::ready, {}},
                          {entry("b", "1"), serving_state::ready, {}},
                          {entry("c", "1"), serving_state::ready, {}},
                          {entry("m", "1"), serving_state::ready, {}}};
  }

  void restart() {
    kill(router, caf::exit_reason::user_shutdown);
    start();
  }

  void ask_for(const std::string& model, int times) {
    for (int number = 0; number < times; ++number) {
      auto content = request_of("");
      content.model = model;
      CHECK(infer(content).error.code == error_code::none);
    }
  }

  /// What a node was asked to start without a request: "b a".
  static std::string started(const direct_script& node) {
    std::string text;
    for (auto& wish : node.agents)
      if (wish.only_spare)
        text += (text.empty() ? "" : " ") + wish.model;
    return text;
  }

  popular_models stored;
  std::size_t commits = 0;
  bool store_works = true;
};

}  // namespace

TEST_CASE("a node that joins starts the most popular models, best first, and only so many") {
  prewarm_fixture f;
  f.stored = {{{"b", "1", 9'000}, {"a", "1", 5'000}, {"c", "1", 1'000}}};
  f.start();
  auto& first = f.add_node("n1");
  CHECK(f.started(first) == "b a");
  for (auto& wish : first.agents) {
    CHECK(wish.wanted);
    CHECK(wish.only_spare);
    CHECK(wish.time_left_ms > 0);
  }
  auto& second = f.add_node("n2");
  CHECK(f.started(second) == "b a");
  f.tell_of("n1", node_state::busy);
  CHECK(first.agents.size() == 2);
  f.lose("n1");
  f.tell_of("n1", node_state::online);
  CHECK(f.started(first) == "b a b a");
}

TEST_CASE("what is popular is stored once a minute when it has changed, and outlives ROUTER") {
  prewarm_fixture f;
  f.start();
  f.add_node("n1");
  f.ask_for("c", 3);
  f.ask_for("a", 2);
  CHECK(f.commits == 0);
  f.advance(minute_ms);
  CHECK(f.commits == 1);
  REQUIRE(f.stored.models.size() == 2);
  CHECK(f.stored.models[0] == popular_model{"c", "1", 3'000});
  CHECK(f.stored.models[1] == popular_model{"a", "1", 2'000});
  f.advance(60 * minute_ms);
  CHECK(f.commits <= 61);
  CHECK(f.stored.models[0].score_thousandths == 1'500);
  f.restart();
  auto& joined = f.add_node("n2");
  CHECK(f.started(joined) == "c a");
}

TEST_CASE("after twelve half-lives nobody remembers, and then nothing is stored") {
  prewarm_fixture f;
  f.start();
  f.add_node("n1");
  f.ask_for("c", 1);
  f.advance(13 * 60 * minute_ms);
  CHECK(f.stored.models.empty());
  auto before = f.commits;
  f.advance(10 * minute_ms);
  CHECK(f.commits == before);
}

TEST_CASE("a busy node is left alone until it has no direct requests") {
  prewarm_fixture f;
  f.stored = {{{"b", "1", 9'000}}};
  SUBCASE("ROUTER knows of its requests") {
    const auto all = f.catalogue.versions;
    f.catalogue.versions = {all.back()};
    f.start();
    auto& node = f.add_node("n1");
    node.holds = true;
    f.begin(f.request_of("r1"));
    f.send(f.router, served_models{2, all, {}});
    f.advance(5'000);
    CHECK(f.started(node).empty());
    f.answer("n1");
    f.advance(2'000);
    CHECK(f.started(node) == "b");
  }
  SUBCASE("the node itself says so") {
    f.start();
    auto script = std::make_shared<direct_script>();
    script->refuses_agents_with = error_code::overloaded;
    f.scripts["n2"] = script;
    f.handles["n2"] = f.sys().spawn(direct_node, script);
    f.tell_of("n2", node_state::online);
    CHECK(f.started(*script) == "b");
    script->refuses_agents_with = error_code::none;
    f.advance(2'000);
    CHECK(f.started(*script) == "b b");
    f.advance(10'000);
    CHECK(f.started(*script) == "b b");
  }
}

TEST_CASE("a node without spare room is asked once, and then by a request alone") {
  prewarm_fixture f;
  f.stored = {{{"b", "1", 9'000}, {"a", "1", 5'000}}};
  f.start();
  auto script = std::make_shared<direct_script>();
  script->starts_agents = false;
  f.scripts["n1"] = script;
  f.handles["n1"] = f.sys().spawn(direct_node, script);
  f.tell_of("n1", node_state::online);
  CHECK(f.started(*script) == "b a");
  f.advance(3 * minute_ms);
  CHECK(f.started(*script) == "b a");
  f.ask_for("b", 1);
  CHECK(script->orders.size() == 1);
}

TEST_CASE("a model whose agent was idle is started again, once until it is asked for again") {
  prewarm_fixture f;
  f.start();
  auto& node = f.add_node("n1");
  const std::vector<agent_facts> agents = {{"c", "1"}};
  f.ask_for("c", 3);
  f.tell_of("n1", node_state::online, agents);
  f.advance(minute_ms);
  CHECK(f.started(node).empty());
  f.tell_of("n1", node_state::online);
  f.advance(minute_ms);
  CHECK(f.started(node) == "c");
  CHECK(node.agents.back().time_left_ms > 0);
  f.tell_of("n1", node_state::online, agents);
  f.advance(5 * minute_ms);
  f.tell_of("n1", node_state::online);
  f.advance(10 * minute_ms);
  CHECK(f.started(node) == "c");
  f.ask_for("c", 1);
  f.tell_of("n1", node_state::online, agents);
  f.advance(minute_ms);
  f.tell_of("n1", node_state::online);
  f.advance(5 * minute_ms);
  CHECK(f.started(node) == "c c");
}

TEST_CASE("a model that nobody remembers, and one that may have its agent, are not started again") {
  prewarm_fixture f;
  f.start();
  auto& node = f.add_node("n1");
  f.ask_for("c", 1);
  SUBCASE("it is forgotten") {
    f.tell_of("n1", node_state::online, {{"c", "1"}});
    f.advance(13 * 60 * minute_ms);
    f.tell_of("n1", node_state::online);
  }
  SUBCASE("the node does not name all of its agents") {
    f.tell_of("n1", node_state::online,
              std::vector<agent_facts>(agents_named_max, {"other", "1"}));
  }
  SUBCASE("two others are more popular") {
    f.ask_for("a", 3);
    f.ask_for("b", 3);
    f.tell_of("n1", node_state::online, {{"a", "1"}, {"b", "1"}});
  }
  f.advance(3 * minute_ms);
  CHECK(f.started(node).empty());
}

TEST_CASE("a node that can not start a model again gets its requests as before") {
  prewarm_fixture f;
  f.start();
  auto& first = f.add_node("n1");
  auto& second = f.add_node("n2");
  f.ask_for("c", 4);
  second.starts_agents = false;
  f.tell_of("n1", node_state::online, {{"c", "1"}});
  f.tell_of("n2", node_state::online);
  f.advance(3 * minute_ms);
  CHECK(f.started(first).empty());
  CHECK(f.started(second) == "c");
  const auto before = second.orders.size();
  f.ask_for("c", 4);
  CHECK(second.orders.size() == before + 2);
  second.starts_agents = true;
  f.tell_of("n2", node_state::online);
  f.advance(3 * minute_ms);
  CHECK(f.started(second) == "c c");
}

TEST_CASE("no more nodes start a popular model than may serve it, and unserved ones do not count") {
  prewarm_fixture f;
  f.arguments.options.nodes_per_model_max = 1;
  f.arguments.options.prewarm_models = 1;
  f.stored = {{{"gone", "1", 20'000}, {"b", "7", 9'000}, {"a", "1", 5'000}}};
  f.start();
  auto& first = f.add_node("n1");
  auto& second = f.add_node("n2");
  CHECK(f.started(first) == "a");
  CHECK(f.started(second).empty());
}

TEST_CASE("without the option nothing is counted, stored or started") {
  prewarm_fixture f;
  f.arguments.options.prewarm_models = 0;
  f.stored = {{{"b", "1", 9'000}}};
  f.start();
  auto& node = f.add_node("n1");
  f.ask_for("c", 2);
  f.advance(3 * minute_ms);
  CHECK(f.started(node).empty());
  CHECK(f.commits == 0);
}

TEST_CASE("a store that fails costs nothing but what was to be remembered") {
  prewarm_fixture f;
  f.store_works = false;
  f.start();
  f.add_node("n1");
  f.ask_for("c", 2);
  f.advance(minute_ms);
  CHECK(f.commits == 1);
  f.store_works = true;
  f.advance(minute_ms);
  CHECK(f.commits == 2);
  CHECK(f.stored.models.size() == 1);
}
