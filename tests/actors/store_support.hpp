#pragma once

#include <bit>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/store/database.hpp"
#include "actors/store/event_log.hpp"
#include "actors/store/job_store.hpp"
#include "actors/store/queries.hpp"
#include "actors/store/records.hpp"
#include "runtime/digest.hpp"
#include "runtime/ids.hpp"
#include "runtime/record_codec.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/temporary_folder.hpp"

namespace dim::tests {

/// Fills any struct with random members, extremes among them, through its `inspect`.
class random_filler {
public:
  using result_type = bool;
  static constexpr bool reads_state = false;
  static constexpr bool writes_state = true;

  explicit random_filler(std::uint64_t seed) : random(seed) {
  }

  template <class... Members>
  bool operator()(Members&&... members) {
    (fill(members), ...);
    return true;
  }

  template <class T>
  void fill(T& x) {
    if constexpr (std::is_same_v<T, bool>)
      x = random.below(2) == 1;
    else if constexpr (std::is_enum_v<T>)
      x = static_cast<T>(random.below(static_cast<std::uint64_t>(last_value(T{})) + 1));
    else if constexpr (std::is_integral_v<T>)
      x = integer<T>();
    else
      inspect(*this, x);
  }
  void fill(runtime::real& x) {
    using limits = std::numeric_limits<double>;
    const double special[] = {limits::infinity(), -limits::infinity(), limits::quiet_NaN(),
                              -0.0, limits::denorm_min(), limits::max()};
    x = random.below(2) == 1 ? special[random.below(6)] : std::bit_cast<double>(random.next());
  }
  void fill(std::string& x) {
    x.resize(random.below(20));
    for (char& letter : x)
      letter = static_cast<char>(random.below(256));
  }
  void fill(std::vector<char>& x) {
    x.resize(1 + random.below(200));
    for (char& letter : x)
      letter = static_cast<char>(random.below(256));
  }
  template <class T>
  void fill(std::vector<T>& x) {
    x.resize(random.below(4));
    for (auto& element : x)
      fill(element);
  }
  template <class Key, class Value>
  void fill(std::map<Key, Value>& x) {
    for (auto count = random.below(4); count > 0; --count) {
      Key key{};
      fill(key);
      fill(x[key]);
    }
  }

  runtime::random_source random;

private:
  template <class T>
  T integer() {
    switch (random.below(4)) {
      case 0:
        return std::numeric_limits<T>::min();
      case 1:
        return std::numeric_limits<T>::max();
      default:
        return static_cast<T>(random.next());
    }
  }
};

/// A random `T`.
template <class T>
T random_record(std::uint64_t seed) {
  T x;
  random_filler filler{seed};
  filler.fill(x);
  return x;
}

/// A database with STORE, QUERIES and blobs in a folder of its own.
struct store_fixture : actor_fixture {
  explicit store_fixture(const config::store_options& options = small_map()) {
    auto opened = actors::open_database(folder / "db", options);
    if (opened)
      database = *opened;
    blobs = std::make_shared<runtime::blob_store>(
      *runtime::blob_store::open(folder / "blobs", false));
    arguments.database = database;
    arguments.blobs = blobs;
    arguments.events = events;
    arguments.retention = {7 * day_ms, day_ms, day_ms};
    arguments.sweep_interval_ms = 3'600'000;
    queries = sys().spawn(actors::queries, database);
  }

  static config::store_options small_map() {
    config::store_options options;
    options.map_bytes = 256 << 20;
    options.sync = false;
    return options;
  }

  /// Starts STORE; change `arguments` before.
  void start() {
    store = sys().spawn(actors::job_store, arguments);
  }

  runtime::expected<actors::commit_result> commit(actors::commit_changes changes) {
    return ask<actors::commit_result>(store, std::move(changes));
  }

  /// A job with an inline input of `byte_size` bytes.
  actors::job_record make_job(std::size_t byte_size = 256) {
    actors::job_record record;
    record.submitted_at = runtime::wall_ms(sys());
    record.id = ids.next(record.submitted_at);
    record.spec.name = "a job";
    record.spec.submitted_by = "ann";
    record.spec.steps = {{"digits-mlp", "1", std::string(64, 'a'), 1.0, {}}};
    record.spec.inputs = {models::make_tensor(
      "x", models::datatype::uint8, {static_cast<std::int64_t>(byte_size)},
      std::vector<char>(byte_size, 'x'))};
    return record;
  }

  /// Stores the job, with one event.
  void submit(actors::job_record record) {
    actors::commit_changes changes;
    actors::detach_large(record.spec.inputs, changes.blobs);
    actors::append_changes_for_new_job(record, changes);
    changes.events = {make_event("job_submitted", record.id)};
    REQUIRE(commit(std::move(changes)));
  }

  /// Brings a stored job to `state`.
  void move_to(actors::job_record& record, actors::job_state state) {
    const auto before = std::exchange(record.state, state);
    if (actors::is_terminal(state))
      record.completed_at = runtime::wall_ms(sys());
    actors::commit_changes changes;
    actors::append_changes_for_job(record, before, changes);
    REQUIRE(commit(std::move(changes)));
  }

  actors::event make_event(const std::string& kind, const std::string& job_id = {}) {
    actors::event fact;
    fact.topic = actors::topic_jobs;
    fact.kind = kind;
    fact.job_id = job_id;
    fact.at = runtime::wall_ms(sys());
    return fact;
  }

  /// The number of entries of a table.
  std::uint64_t count(const std::string& table) {
    return database->read()->count(table).value();
  }

  static constexpr std::int64_t day_ms = 24 * 3'600'000;

  temporary_folder folder;
  actors::database_pointer database;
  std::shared_ptr<runtime::blob_store> blobs;
  runtime::service<actors::events_actor> events;
  actors::store_arguments arguments;
  actors::store_actor store;
  actors::queries_actor queries;
  runtime::id_source ids{1};
};

}  // namespace dim::tests
