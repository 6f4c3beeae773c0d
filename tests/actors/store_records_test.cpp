#include "actors/store/records.hpp"

#include <set>

#include <doctest/doctest.h>

#include "tests/actors/store_support.hpp"
#include "tests/support/test_seed.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;

namespace {

template <class T>
bool comes_back(std::uint64_t seed) {
  const auto record = random_record<T>(seed);
  const auto read = runtime::decode_record<T>(runtime::encode_record(record).view());
  return read && *read == record;
}

template <class T>
void damage(runtime::random_source& random, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    std::string packed{runtime::encode_record(random_record<T>(random.next())).view()};
    for (auto flips = 1 + random.below(3); flips > 0; --flips)
      packed[random.below(packed.size())] ^= static_cast<char>(1 << random.below(8));
    if (random.below(3) == 0)
      packed.resize(random.below(packed.size()));
    const auto read = runtime::decode_record<T>(packed);
    if (!read) {
      CHECK(read.error().code == runtime::error_code::store_corrupt);
    }
  }
}

}  // namespace

TEST_CASE("every stored record comes back as it was, with extremes in every member") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  runtime::random_source random{seed};
  for (int round = 0; round < 300; ++round) {
    const auto here = random.next();
    CAPTURE(here);
    CHECK(comes_back<job_record>(here));
    CHECK(comes_back<job_result>(here));
    CHECK(comes_back<execution_record>(here));
    CHECK(comes_back<node_record>(here));
    CHECK(comes_back<event>(here));
    CHECK(comes_back<idempotency_record>(here));
    CHECK(comes_back<models::tensor_list>(here));
  }
}

TEST_CASE("damaged records of every kind are read or refused, and never crash") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  runtime::random_source random{seed};
  damage<job_record>(random, 3000);
  damage<job_result>(random, 3000);
  damage<execution_record>(random, 3000);
  damage<node_record>(random, 3000);
  damage<event>(random, 3000);
}

TEST_CASE("every name of an enumeration leads back to its value, and no other text does") {
  for (int value = 0; value <= static_cast<int>(last_value(pattern{})); ++value)
    CHECK(pattern_from(to_string(static_cast<pattern>(value))) == static_cast<pattern>(value));
  for (int value = 0; value <= static_cast<int>(last_value(job_state{})); ++value)
    CHECK(job_state_from(to_string(static_cast<job_state>(value)))
          == static_cast<job_state>(value));
  for (int value = 0; value <= static_cast<int>(last_value(comparison{})); ++value)
    CHECK(comparison_from(to_string(static_cast<comparison>(value)))
          == static_cast<comparison>(value));
  for (int value = 0; value <= static_cast<int>(last_value(reduction{})); ++value)
    CHECK(reduction_from(to_string(static_cast<reduction>(value)))
          == static_cast<reduction>(value));
  for (int value = 0; value <= static_cast<int>(last_value(aggregation{})); ++value)
    CHECK(aggregation_from(to_string(static_cast<aggregation>(value)))
          == static_cast<aggregation>(value));
  for (int value = 0; value <= static_cast<int>(last_value(vote_method{})); ++value)
    CHECK(vote_method_from(to_string(static_cast<vote_method>(value)))
          == static_cast<vote_method>(value));
  for (int value = 0; value <= static_cast<int>(last_value(execution_state{})); ++value)
    CHECK(execution_state_from(to_string(static_cast<execution_state>(value)))
          == static_cast<execution_state>(value));
  for (int value = 0; value <= static_cast<int>(last_value(node_state{})); ++value)
    CHECK(node_state_from(to_string(static_cast<node_state>(value)))
          == static_cast<node_state>(value));
  CHECK_FALSE(pattern_from(""));
  CHECK_FALSE(job_state_from("Pending"));
  CHECK(to_string(static_cast<job_state>(77)) == "unknown");
  CHECK(status_of(node_state::suspect) == "offline");
  CHECK(status_of(node_state::draining) == "busy");
}

TEST_CASE("numbers in keys are ordered as numbers") {
  const std::uint64_t numbers[] = {0, 1, 255, 256, 65'535, 1ull << 40, ~0ull};
  for (std::size_t index = 0; index < std::size(numbers); ++index) {
    CHECK(number_in_key("prefix/" + number_key(numbers[index])) == numbers[index]);
    if (index > 0) {
      CHECK(number_key(numbers[index - 1]) < number_key(numbers[index]));
    }
  }
  CHECK(number_in_key("short") == 0);
}

TEST_CASE("large tensors are detached under their digest, small and detached ones stay") {
  const std::vector<char> large(inline_bytes_max + 1, 'l');
  const std::vector<char> small(inline_bytes_max, 's');
  models::tensor_list tensors{
    models::make_tensor("large", models::datatype::uint8, {65'537}, large),
    models::make_tensor("small", models::datatype::uint8, {65'536}, small)};
  tensors.push_back(models::detached(tensors[0]));
  std::vector<blob_write> blobs;
  detach_large(tensors, blobs);
  REQUIRE(blobs.size() == 1);
  CHECK(blobs[0].digest == runtime::sha256_hex({large.data(), large.size()}));
  CHECK(blobs[0].data.vector() == large);
  CHECK(tensors[0].is_detached());
  CHECK(tensors[0].byte_size == 65'537);
  CHECK(tensors[0].digest == blobs[0].digest);
  CHECK_FALSE(tensors[1].is_detached());
  CHECK(tensors[2].is_detached());
  detach_large(tensors, blobs);
  CHECK(blobs.size() == 1);
}

TEST_CASE("a tensor without a digest gets one when it is detached") {
  models::tensor_list tensors(1);
  tensors[0].data = runtime::bytes{std::vector<char>(100'000, 'x')};
  std::vector<blob_write> blobs;
  detach_large(tensors, blobs);
  CHECK(tensors[0].digest == runtime::sha256_hex(std::string(100'000, 'x')));
  CHECK(tensors[0].byte_size == 100'000);
}

TEST_CASE("the row of a job does not hold the bytes of its inputs") {
  job_record record;
  record.id = "id";
  record.spec.inputs = {models::make_tensor("x", models::datatype::uint8, {50'000},
                                            std::vector<char>(50'000, 'x'))};
  commit_changes fresh;
  append_changes_for_new_job(record, fresh);
  commit_changes moved;
  record.state = job_state::scheduled;
  append_changes_for_job(record, job_state::pending, moved);
  std::size_t moved_bytes = 0;
  for (const auto& change : moved.changes)
    moved_bytes += change.value.size();
  CHECK(moved_bytes < 1000);
  std::set<std::string> written;
  for (const auto& change : fresh.changes)
    written.insert(change.table);
  CHECK(written
        == std::set<std::string>{"inputs", "jobs", "jobs_pending", "jobs_by_pattern",
                                 "jobs_by_submitter"});
}
