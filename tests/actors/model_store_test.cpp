// CACHE, with a fake ENTRY that answers when it is told to.
#include <doctest/doctest.h>

#include <deque>
#include <fstream>
#include <map>

#include "actors/node/model_store.hpp"
#include "runtime/digest.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;

namespace {

constexpr std::size_t mib = 1 << 20;

struct fake_entry_state {
  static inline const char* name = "FAKE ENTRY";
};

/// What the orchestrator would know, and what it was asked.
struct entry_script {
  std::map<std::string, model_entry> models;
  std::map<std::string, std::string> files;
  /// Chunks wait for `release` instead of being answered at once.
  bool holds_chunks = false;
  std::size_t failing_chunks = 0;
  std::vector<fetch_chunk> chunks_asked;
  std::deque<std::pair<fetch_chunk, caf::typed_response_promise<chunk>>> held;

  chunk read(const fetch_chunk& wish) const {
    auto& file = files.at(wish.digest);
    return {runtime::bytes::copy_of(std::string_view{file}.substr(wish.offset, wish.length)),
            file.size()};
  }
};

caf::behavior fake_entry(runtime::actor_self<caf::actor, fake_entry_state> self,
                         std::shared_ptr<entry_script> script) {
  return {
    [script](const find_model& wish) -> caf::result<model_entry> {
      auto found = script->models.find(wish.name);
      if (found == script->models.end())
        return runtime::to_error(error_code::model_not_found, "no model " + wish.name);
      return found->second;
    },
    [script, self](const fetch_chunk& wish) {
      script->chunks_asked.push_back(wish);
      auto promise = self->make_response_promise<chunk>();
      if (script->failing_chunks > 0) {
        --script->failing_chunks;
        promise.deliver(runtime::to_error(error_code::overloaded, "busy"));
      } else if (script->holds_chunks) {
        script->held.emplace_back(wish, promise);
      } else {
        promise.deliver(script->read(wish));
      }
      return promise;
    },
    // Answers the held chunk that came last: the worst order.
    [script](caf::tick_atom) {
      auto [wish, promise] = script->held.back();
      script->held.pop_back();
      promise.deliver(script->read(wish));
    },
  };
}

struct store_fixture : tests::actor_fixture {
  tests::temporary_folder folder;
  std::shared_ptr<entry_script> script = std::make_shared<entry_script>();
  std::shared_ptr<tests::inbox> node = std::make_shared<tests::inbox>();
  caf::actor entry;
  model_store_arguments arguments;
  model_store_actor store;

  store_fixture() {
    arguments.cluster.chunk_window = 4;
    arguments.cluster.request_timeout_ms = 10'000;
    arguments.cluster.rejoin_backoff_ms = 100;
    arguments.cache = {folder / "cache", 100 * mib};
    arguments.node.set(caf::actor_cast<node_control_actor>(probe(node)));
  }

  void start() {
    store = sys().spawn(model_store, arguments);
    run();
  }

  void bring_entry_up() {
    entry = sys().spawn(fake_entry, script);
    arguments.entry.set(entry);
  }

  std::string add_model(const std::string& name, std::size_t size) {
    std::string file;
    for (std::size_t place = 0; file.size() < size; ++place)
      file += name + std::to_string(place) + ",";
    file.resize(size);
    auto digest = runtime::sha256_hex(file);
    script->models[name] = {name, "1", digest, size, 0, {}};
    script->models[name].spec.name = name;
    script->files[digest] = file;
    return digest;
  }

  tests::pending_reply<served_model> acquire(const std::string& name, std::string digest = {},
                                             std::uint64_t time_left_ms = 60'000) {
    auto reply = request<served_model>(store, acquire_model{name, "1", digest, time_left_ms});
    run();
    return reply;
  }

  std::size_t files_in_cache() const {
    std::size_t count = 0;
    for (auto& each : std::filesystem::directory_iterator(arguments.cache.folder))
      count += each.is_regular_file() ? 1 : 0;
    return count;
  }
};

error_code code_of(const tests::pending_reply<served_model>& reply) {
  REQUIRE(reply->has_value());
  return **reply ? error_code::none : (**reply).error().code;
}

std::string content_of(const tests::pending_reply<served_model>& reply) {
  REQUIRE(code_of(reply) == error_code::none);
  std::ifstream file{(**reply)->path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

TEST_CASE("a model is fetched in chunks, verified, kept, and served from the disk the next time") {
  store_fixture f;
  auto digest = f.add_model("m", 2 * mib + 100);
  f.bring_entry_up();
  f.start();
  auto first = f.acquire("m", digest);
  CHECK(content_of(first) == f.script->files[digest]);
  CHECK((**first)->spec.name == "m");
  CHECK((**first)->digest == digest);
  CHECK(f.script->chunks_asked.size() == 3);
  REQUIRE(f.node->count<cache_changed>() > 0);
  CHECK(f.node->all<cache_changed>().back().used_bytes == 2 * mib + 100);
  CHECK(f.node->all<cache_changed>().back().digests == std::vector<std::string>{digest});
  CHECK(content_of(f.acquire("m", digest)) == f.script->files[digest]);
  CHECK(f.script->chunks_asked.size() == 3);
}

TEST_CASE("what the cache holds is served after a restart, and told to the node at once") {
  store_fixture f;
  auto digest = f.add_model("m", 1'000);
  f.bring_entry_up();
  f.start();
  f.acquire("m", digest);
  f.kill(f.store);
  f.node->clear();
  f.start();
  f.advance(200);
  REQUIRE(f.node->count<cache_changed>() == 1);
  CHECK(f.node->all<cache_changed>()[0].digests == std::vector<std::string>{digest});
  CHECK(code_of(f.acquire("m", digest)) == error_code::none);
  CHECK(f.script->chunks_asked.size() == 1);
}

TEST_CASE("requests for one model share one transfer and its window of chunks") {
  store_fixture f;
  auto digest = f.add_model("m", 10 * mib);
  f.script->holds_chunks = true;
  f.bring_entry_up();
  f.start();
  auto first = f.acquire("m", digest);
  auto second = f.acquire("m", digest);
  CHECK(f.script->held.size() == 4);
  while (!f.script->held.empty()) {
    CHECK(f.script->held.size() <= 4);
    f.send(f.entry, caf::tick_atom_v);
  }
  CHECK(content_of(first) == f.script->files[digest]);
  CHECK(content_of(second) == f.script->files[digest]);
  CHECK(f.script->chunks_asked.size() == 10);
}

TEST_CASE("bytes that do not have their digest are reported as corrupt and leave nothing behind") {
  store_fixture f;
  auto digest = f.add_model("m", 5'000);
  f.script->files[digest][4'999] ^= 1;
  f.bring_entry_up();
  f.start();
  CHECK(code_of(f.acquire("m", digest)) == error_code::corrupt);
  CHECK(f.files_in_cache() == 0);
  f.script->files[digest][4'999] ^= 1;
  CHECK(code_of(f.acquire("m", digest)) == error_code::none);
}

TEST_CASE("a model that is not there, or is another file by now, is not found") {
  store_fixture f;
  f.add_model("m", 100);
  f.bring_entry_up();
  f.start();
  CHECK(code_of(f.acquire("unknown")) == error_code::model_not_found);
  CHECK(code_of(f.acquire("m", std::string(64, 'a'))) == error_code::model_not_found);
}

TEST_CASE("without an orchestrator a request waits for one, as long as its time allows") {
  store_fixture f;
  auto digest = f.add_model("m", 100);
  f.start();
  auto patient = f.acquire("m", digest, 60'000);
  auto hasty = f.acquire("m", digest, 2'000);
  f.advance(3'000);
  CHECK(code_of(hasty) == error_code::expired);
  CHECK_FALSE(patient->has_value());
  f.bring_entry_up();
  f.advance(200);
  CHECK(code_of(patient) == error_code::none);
}

TEST_CASE("a transfer goes on where it was when the orchestrator comes back") {
  store_fixture f;
  auto digest = f.add_model("m", 8 * mib);
  f.script->holds_chunks = true;
  f.bring_entry_up();
  f.start();
  auto reply = f.acquire("m", digest);
  for (int chunk = 0; chunk < 4; ++chunk)
    f.send(f.entry, caf::tick_atom_v);
  auto asked = f.script->chunks_asked.size();
  CHECK(asked == 8);
  f.kill(f.entry);
  f.script->held.clear();
  f.script->holds_chunks = false;
  f.advance(5'000);
  CHECK_FALSE(reply->has_value());
  CHECK(f.script->chunks_asked.size() == asked);
  f.bring_entry_up();
  f.advance(200);
  CHECK(content_of(reply) == f.script->files[digest]);
  CHECK(f.script->chunks_asked.size() == asked + 4);
  CHECK(f.script->chunks_asked[asked].offset == 4 * mib);
}

TEST_CASE("a chunk that fails is asked for again after a pause, but not for ever") {
  store_fixture f;
  auto digest = f.add_model("m", 100);
  f.bring_entry_up();
  f.start();
  f.script->failing_chunks = 2;
  auto mended = f.acquire("m", digest);
  CHECK_FALSE(mended->has_value());
  f.advance(500);
  CHECK(code_of(mended) == error_code::none);
  auto other = f.add_model("n", 100);
  f.script->failing_chunks = 3;
  auto failed = f.acquire("n", other);
  f.advance(500);
  CHECK(code_of(failed) == error_code::overloaded);
  CHECK(f.files_in_cache() == 1);
}

TEST_CASE("a transfer that nobody waits for any more is given up") {
  store_fixture f;
  auto digest = f.add_model("m", 2 * mib);
  f.script->holds_chunks = true;
  f.bring_entry_up();
  f.start();
  auto reply = f.acquire("m", digest, 1'000);
  CHECK(f.files_in_cache() == 1);
  f.advance(1'500);
  CHECK(code_of(reply) == error_code::expired);
  CHECK(f.files_in_cache() == 0);
}

TEST_CASE("a pinned model is not evicted, a released one is") {
  store_fixture f;
  f.arguments.cache.bytes_max = 3'000;
  auto a = f.add_model("a", 2'000);
  auto b = f.add_model("b", 2'000);
  f.bring_entry_up();
  f.start();
  CHECK(code_of(f.acquire("a", a)) == error_code::none);
  CHECK(code_of(f.acquire("b", b)) == error_code::store_full);
  f.send(f.store, release_model{a});
  CHECK(code_of(f.acquire("b", b)) == error_code::none);
  CHECK(f.node->all<cache_changed>().back().digests == std::vector<std::string>{b});
}

TEST_CASE("an input is fetched by digest into memory, and a wrong one is corrupt") {
  store_fixture f;
  auto digest = f.add_model("blob", 3 * mib);
  f.bring_entry_up();
  f.start();
  auto reply = f.ask<fetched_blob>(f.store, fetch_blob{digest, 3 * mib, 60'000});
  REQUIRE(reply);
  CHECK(reply->data.view() == f.script->files[digest]);
  f.script->files[digest][17] ^= 1;
  auto wrong = f.ask<fetched_blob>(f.store, fetch_blob{digest, 3 * mib, 60'000});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == error_code::corrupt);
  auto shorter = f.ask<fetched_blob>(f.store, fetch_blob{digest, 4 * mib, 60'000});
  REQUIRE_FALSE(shorter);
  CHECK(shorter.error().code == error_code::corrupt);
  CHECK(f.files_in_cache() == 0);
}

TEST_CASE("a cache whose folder can not be used ends, so that its supervisor hears of it") {
  store_fixture f;
  std::ofstream{f.folder / "cache"} << "a file stands in the way";
  f.start();
  CHECK_FALSE(f.is_alive(f.store));
}

TEST_CASE("a configuration that is not the one that was asked for is asked for again") {
  store_fixture f;
  f.bring_entry_up();
  f.start();
  const auto digest = f.add_model("m", 1'000);
  f.script->models["m"].revision = 2;
  f.script->models["m"].spec.max_batch_size = 2;
  const auto rows_at = [&](std::uint32_t revision) {
    auto reply =
      f.request<served_model>(f.store, acquire_model{"m", "1", digest, 60'000, revision});
    f.run();
    REQUIRE(code_of(reply) == error_code::none);
    return (**reply)->spec.max_batch_size;
  };
  CHECK(rows_at(2) == 2);
  f.script->models["m"].revision = 3;
  f.script->models["m"].spec.max_batch_size = 3;
  // Nobody has said yet that there is another one.
  CHECK(rows_at(2) == 2);
  CHECK(rows_at(3) == 3);
  // The load of the third has failed.
  f.script->models["m"].revision = 2;
  f.script->models["m"].spec.max_batch_size = 2;
  CHECK(rows_at(2) == 2);
}
