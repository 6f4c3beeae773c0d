#include "runtime/link.hpp"

#include <set>

#include <doctest/doctest.h>

#include "tests/runtime/runtime_types.hpp"
#include "tests/support/log_file.hpp"

using namespace dim;
using namespace dim::tests;
using runtime::error_code;

namespace {

/// A peer to connect to, or why there is none, by "host:port".
class fake_network {
public:
  explicit fake_network(sum_fixture& f) : f_(f) {
    dialer_ = f.fake<caf::actor>(
      [this](caf::connect_atom, const std::string& host, std::uint16_t port)
        -> caf::result<caf::node_id, caf::strong_actor_ptr, std::set<std::string>> {
        auto address = host + ":" + std::to_string(port);
        dialled.push_back(address);
        auto found = peers.find(address);
        if (found == peers.end())
          return caf::make_error(caf::sec::cannot_connect_to_node);
        return {caf::node_id{}, caf::actor_cast<caf::strong_actor_ptr>(found->second),
                typed ? std::set<std::string>{"other"} : std::set<std::string>{}};
      });
  }

  caf::actor add_peer(const std::string& address) {
    auto peer = f_.fake<caf::actor>([](const add_number&) {});
    peers[address] = peer;
    return peer;
  }

  /// A peer that says this of itself.
  caf::actor add_peer(const std::string& address, const runtime::greet_peer& theirs) {
    auto peer = f_.fake<caf::actor>([this, theirs](const runtime::greet_peer& mine) {
      greetings.push_back(mine);
      return theirs;
    });
    peers[address] = peer;
    return peer;
  }

  caf::io::middleman_actor dialer() const {
    return caf::actor_cast<caf::io::middleman_actor>(dialer_);
  }

  std::map<std::string, caf::actor> peers;
  std::vector<std::string> dialled;
  std::vector<runtime::greet_peer> greetings;
  bool typed = false;

private:
  sum_fixture& f_;
  caf::actor dialer_;
};

/// A peer that never answers the greeting.
caf::behavior silent_peer(caf::event_based_actor* self) {
  auto kept = std::make_shared<caf::typed_response_promise<runtime::greet_peer>>();
  return {[self, kept](const runtime::greet_peer&) -> caf::result<runtime::greet_peer> {
    *kept = self->make_response_promise<runtime::greet_peer>();
    return *kept;
  }};
}

/// A LINK with its owner, its cell and the network it dials.
struct link_scene {
  explicit link_scene(std::vector<std::string> addresses = {"a:1"}) {
    options.addresses = std::move(addresses);
  }

  void start() {
    owner = f.probe(box);
    link = f.sys().spawn(runtime::link, network.dialer(), options, entry, owner);
    f.run();
  }

  sum_fixture f;
  fake_network network{f};
  runtime::link_options options;
  runtime::service<caf::actor> entry;
  std::shared_ptr<inbox> box = std::make_shared<inbox>();
  caf::actor owner;
  runtime::link_actor link;
};

}  // namespace

TEST_CASE("addresses are host and port, with brackets around IPv6") {
  CHECK(*runtime::parse_endpoint("host:7411") == runtime::endpoint{"host", 7411});
  CHECK(*runtime::parse_endpoint("[::1]:1") == runtime::endpoint{"::1", 1});
  for (auto wrong : {"", "host", "host:", ":1", "host:0", "host:65536", "host:99999999", "host:1x",
                     "::1:7411", "[]:1", "host:-1"})
    CHECK_MESSAGE(!runtime::parse_endpoint(wrong), std::string{wrong});
}

TEST_CASE("a link that connects fills the cell and tells its owner once") {
  link_scene s;
  auto peer = s.network.add_peer("a:1");
  s.start();
  CHECK(s.entry.get() == peer);
  REQUIRE(s.box->size() == 1);
  CHECK(s.box->all<runtime::link_up>()[0].generation == 1);
  s.f.advance(60'000);
  CHECK(s.box->size() == 1);
  CHECK(s.network.dialled.size() == 1);
}

TEST_CASE("addresses are tried in turn, at once, before the back-off") {
  link_scene s{{"a:1", "b:2", "c:3"}};
  auto peer = s.network.add_peer("c:3");
  s.start();
  CHECK(s.entry.get() == peer);
  CHECK(s.network.dialled == std::vector<std::string>{"a:1", "b:2", "c:3"});
  CHECK(s.f.now_ms() == 0);
}

TEST_CASE("without a peer the pauses double up to their maximum, and it connects in the end") {
  link_scene s;
  s.start();
  CHECK(s.network.dialled.size() == 1);
  CHECK(s.box->size() == 0);
  s.f.advance(10'000);
  auto early = s.network.dialled.size();
  CHECK(early >= 7);
  CHECK(early <= 10);
  s.f.advance(100'000);
  auto late = s.network.dialled.size() - early;
  CHECK(late >= 20);
  CHECK(late <= 42);
  auto peer = s.network.add_peer("a:1");
  s.f.advance(5'000);
  CHECK(s.entry.get() == peer);
  CHECK(s.box->count<runtime::link_up>() == 1);
}

TEST_CASE("a dead peer empties the cell, tells the owner, and is dialled again") {
  link_scene s;
  auto first = s.network.add_peer("a:1");
  s.start();
  s.f.advance(60'000);
  auto second = s.network.add_peer("a:1");
  s.f.kill(first, caf::exit_reason::remote_link_unreachable);
  CHECK_FALSE(s.entry.get());
  REQUIRE(s.box->count<runtime::link_down>() == 1);
  CHECK(s.box->all<runtime::link_down>()[0].reason.code == error_code::node_lost);
  s.f.advance(100);
  CHECK(s.entry.get() == second);
  CHECK(s.box->all<runtime::link_up>()[1].generation == 2);
}

TEST_CASE("a link without an owner fills and empties its cell alone") {
  link_scene s;
  auto peer = s.network.add_peer("a:1");
  auto link = s.f.sys().spawn(runtime::link, s.network.dialer(), s.options, s.entry, caf::actor{});
  s.f.run();
  CHECK(s.entry.get() == peer);
  s.network.peers.clear();
  s.f.kill(peer);
  CHECK_FALSE(s.entry.get());
  CHECK(s.f.is_alive(link));
}

TEST_CASE("an owner that can not join makes the link dial anew, ever more slowly") {
  link_scene s;
  s.network.add_peer("a:1");
  s.start();
  std::vector<std::int64_t> pauses;
  for (std::uint64_t generation = 1; generation <= 5; ++generation) {
    auto before = s.f.now_ms();
    s.f.send(s.link, runtime::redial{generation, {error_code::conflict, "refused", {}}});
    while (s.box->count<runtime::link_up>() == generation)
      s.f.advance(1);
    pauses.push_back(s.f.now_ms() - before);
  }
  CHECK(s.box->count<runtime::link_down>() == 5);
  CHECK(pauses[4] >= 800);
  CHECK(pauses[0] <= 101);
}

TEST_CASE("a redial for an older connection is ignored") {
  link_scene s;
  auto peer = s.network.add_peer("a:1");
  s.start();
  s.f.send(s.link, runtime::redial{0, {error_code::conflict, "refused", {}}});
  CHECK(s.entry.get() == peer);
  CHECK(s.box->count<runtime::link_down>() == 0);
}

TEST_CASE("a typed actor at the other end is another program") {
  link_scene s;
  s.network.typed = true;
  s.network.add_peer("a:1");
  s.start();
  s.f.advance(1'000);
  CHECK_FALSE(s.entry.get());
  CHECK(s.box->size() == 0);
  CHECK(s.network.dialled.size() > 1);
}

TEST_CASE("a peer of another cluster or protocol is passed over, and the next address is tried") {
  const runtime::greet_peer mine{"one", 7};
  for (const runtime::greet_peer& other : {runtime::greet_peer{"two", 7}, {"one", 8}}) {
    link_scene s{{"a:1", "b:2"}};
    s.options.greeting = mine;
    s.network.add_peer("a:1", other);
    auto peer = s.network.add_peer("b:2", mine);
    s.start();
    CHECK(s.entry.get() == peer);
    CHECK(s.network.dialled == std::vector<std::string>{"a:1", "b:2"});
    CHECK(s.network.greetings == std::vector{mine, mine});
    CHECK(s.box->count<runtime::link_up>() == 1);
  }
}

TEST_CASE("where only another cluster listens, the link says so and tries again") {
  link_scene s;
  s.options.greeting = {"one", 7};
  s.network.add_peer("a:1", {"two", 7});
  log_file log;
  s.start();
  s.f.advance(1'000);
  CHECK_FALSE(s.entry.get());
  CHECK(s.box->size() == 0);
  CHECK(s.network.dialled.size() > 2);
  REQUIRE(log.lines().size() == 1);
  CHECK(log.lines()[0].find("there is cluster 'two' with protocol 7") != std::string::npos);
  s.network.add_peer("a:1", {"one", 7});
  s.f.advance(5'000);
  CHECK(s.box->count<runtime::link_up>() == 1);
}

TEST_CASE("a peer that does not answer the greeting is given up after the dial timeout") {
  link_scene s{{"a:1", "b:2"}};
  s.options.greeting = {"one", 7};
  s.options.dial_timeout_ms = 3'000;
  auto silent = s.f.sys().spawn(silent_peer);
  s.network.peers["a:1"] = silent;
  auto peer = s.network.add_peer("b:2", {"one", 7});
  s.start();
  s.f.advance(2'900);
  CHECK_FALSE(s.entry.get());
  s.f.advance(200);
  CHECK(s.entry.get() == peer);
  s.f.kill(silent);
}

TEST_CASE("a dialler that never answers is given up after the dial timeout") {
  link_scene s;
  s.options.dial_timeout_ms = 3'000;
  auto silent = s.f.probe(std::make_shared<inbox>());
  auto link = s.f.sys().spawn(
    runtime::link, caf::actor_cast<caf::io::middleman_actor>(s.f.sys().spawn(sum)), s.options,
    s.entry, silent);
  s.f.advance(10'000);
  auto words = s.f.ask<runtime::actor_description>(caf::actor_cast<caf::actor>(link),
                                                   runtime::describe_actor{});
  REQUIRE(words);
  CHECK(words->state.find("failures") != std::string::npos);
}
