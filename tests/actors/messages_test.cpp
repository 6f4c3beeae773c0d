#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include <caf/io/all.hpp>
#include <doctest/doctest.h>

#include "actors/type_ids.hpp"
#include "runtime/link.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/worst_values.hpp"

using namespace dim;
using namespace dim::tests;

namespace {

constexpr auto patience = std::chrono::seconds{60};
constexpr std::uint64_t seeds = 6;

/// All types of both blocks, from the ids themselves: a new type is here without being named.
using all_ids = caf::detail::il_range<caf::id_block::dim_runtime::begin,
                                      caf::id_block::dim_actors::end>::type;

/// Calls `visit.template operator()<T>()` for the type of each id.
template <class Visitor, long... Ids>
void for_each_type(caf::detail::int_list<Ids...>, Visitor visit) {
  (visit.template operator()<typename caf::type_by_id<Ids>::type>(), ...);
}

template <class T>
std::string encoded(caf::actor_system& system, T& value) {
  std::vector<char> buffer;
  caf::binary_serializer sink{system, buffer};
  REQUIRE_FALSE(sink(value));
  return {buffer.begin(), buffer.end()};
}

template <class T>
T worst(std::uint64_t seed, const caf::strong_actor_ptr& actor) {
  T value{};
  worst_filler{seed, actor}.fill(value);
  return value;
}

/// An actor system with real threads and links.
struct process {
  process() {
    actors::add_message_types(config);
    config.enable_links(1'000, 30'000);
    system = std::make_unique<caf::actor_system>(config);
  }

  runtime::system_config config;
  std::unique_ptr<caf::actor_system> system;
};

/// Replies to whatever comes with its bytes, as this process would send it on.
caf::behavior mirror(caf::event_based_actor* self) {
  self->set_default_handler(
    [](caf::scheduled_actor* self, caf::message_view& view) -> caf::result<caf::message> {
      auto content = view.copy_content_to_message();
      return caf::make_message(encoded(self->system(), content));
    });
  return {[](caf::unit_t) {}};
}

/// Two processes and a connection between them.
class linked_pair {
public:
  linked_pair() {
    there_ = far_.system->spawn(mirror);
    auto port = runtime::publish_entry(*far_.system, there_, "127.0.0.1", 0);
    REQUIRE(port);
    auto entry = near_.system->middleman().remote_actor("127.0.0.1", *port);
    REQUIRE(entry);
    entry_ = *entry;
    local_ = near_.system->spawn(mirror);
  }

  ~linked_pair() {
    caf::anon_send_exit(there_, caf::exit_reason::kill);
    caf::anon_send_exit(local_, caf::exit_reason::kill);
  }

  caf::actor_system& near_system() {
    return *near_.system;
  }

  /// An actor on the sending side, for messages that carry handles.
  caf::strong_actor_ptr local() const {
    return caf::actor_cast<caf::strong_actor_ptr>(local_);
  }

  /// Sends `content` across and returns its bytes as they are at the other end.
  std::string send(const caf::message& content) {
    std::string result = "no reply";
    self_->request(entry_, patience, content)
      .receive([&](std::string& reply) { result = std::move(reply); },
               [&](const caf::error& error) { result = caf::to_string(error); });
    return result;
  }

private:
  process far_;
  process near_;
  caf::actor there_;
  caf::actor entry_;
  caf::actor local_;
  caf::scoped_actor self_{*near_.system};
};

}  // namespace

TEST_CASE("every message is read back as it was written, whatever its values") {
  actor_fixture f;
  auto actor = caf::actor_cast<caf::strong_actor_ptr>(f.fake<caf::actor>([](int) {}));
  std::size_t types = 0;
  for_each_type(all_ids{}, [&]<class T>() {
    ++types;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      auto value = seed == 0 ? T{} : worst<T>(seed, actor);
      auto bytes = encoded(f.sys(), value);
      T copy{};
      caf::binary_deserializer source{f.sys(), bytes.data(), bytes.size()};
      CAPTURE(caf::type_name<T>::value);
      REQUIRE_FALSE(source(copy));
      CHECK(source.remaining() == 0);
      CHECK(encoded(f.sys(), copy) == bytes);
      if constexpr (std::equality_comparable<T>)
        CHECK(copy == value);
    }
  });
  CHECK(types
        == caf::id_block::dim_actors::end - caf::id_block::dim_runtime::begin);
  CHECK(types > 100);
}

TEST_CASE("no two message types share a name on the wire") {
  std::set<std::string> names;
  for_each_type(all_ids{}, [&]<class T>() {
    CHECK_MESSAGE(names.insert(caf::type_name<T>::value).second,
                  std::string{caf::type_name<T>::value});
  });
  CHECK(names.size() > 100);
}

TEST_CASE("every message crosses a real link unchanged, with infinities, NaN and denormals") {
  linked_pair pair;
  for_each_type(all_ids{}, [&]<class T>() {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      auto content = caf::make_message(seed == 0 ? T{} : worst<T>(seed, pair.local()));
      CAPTURE(caf::type_name<T>::value);
      CHECK((pair.send(content) == encoded(pair.near_system(), content)));
    }
  });
}

TEST_CASE("a large tensor and a long list cross a real link unchanged") {
  linked_pair pair;
  std::vector<char> block;
  while (block.size() < (8u << 20)) {
    auto more = worst_bytes();
    block.insert(block.end(), more.begin(), more.end());
  }
  models::tensor tensor;
  tensor.name = "x";
  tensor.shape = {static_cast<std::int64_t>(block.size() / 4)};
  tensor.byte_size = block.size();
  tensor.data = runtime::bytes{std::move(block)};
  auto request = caf::make_message(actors::infer{"r", {tensor, tensor}, true, 1});
  CHECK((pair.send(request) == encoded(pair.near_system(), request)));
  actors::node_load load;
  load.active.assign(50'000, "0190a4a0-0000-7000-8000-000000000000");
  auto heartbeat = caf::make_message(actors::node_heartbeat{"n", 1, false, load, {}, true});
  CHECK((pair.send(heartbeat) == encoded(pair.near_system(), heartbeat)));
}

TEST_CASE("a message's type crosses a link: equal fields of two types are told apart") {
  linked_pair pair;
  auto known = caf::make_message(actors::get_job{"j"});
  auto other = caf::make_message(actors::cancel_job{"j"});
  CHECK((pair.send(known) != encoded(pair.near_system(), other)));
}
