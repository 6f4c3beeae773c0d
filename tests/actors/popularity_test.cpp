#include "actors/router/popularity.hpp"

#include <doctest/doctest.h>

using dim::actors::popular_model;
using dim::actors::popular_models;
using dim::actors::popularity;

namespace {

constexpr std::int64_t hour_ms = 3'600'000;

popular_models list_of(std::vector<popular_model> models) {
  return {std::move(models)};
}

}  // namespace

TEST_CASE("a request counts half as much after each half-life") {
  popularity counts(hour_ms);
  counts.note_total("m", "1", 8, 1'000);
  CHECK(counts.best(1) == list_of({{"m", "1", 8'000}}));
  counts.fade(1'000 + hour_ms);
  CHECK(counts.best(1) == list_of({{"m", "1", 4'000}}));
  counts.fade(1'000 + 3 * hour_ms);
  CHECK(counts.best(1) == list_of({{"m", "1", 1'000}}));
  counts.fade(1'000 + 2 * hour_ms);
  CHECK(counts.best(1) == list_of({{"m", "1", 1'000}}));
}

TEST_CASE("only what is more than at the last time is counted, and a smaller total begins anew") {
  popularity counts(hour_ms);
  counts.note_total("m", "1", 3, 0);
  counts.note_total("m", "1", 3, 0);
  CHECK(counts.best(1) == list_of({{"m", "1", 3'000}}));
  counts.note_total("m", "1", 10, 0);
  CHECK(counts.best(1) == list_of({{"m", "1", 10'000}}));
  counts.note_total("m", "1", 2, 0);
  CHECK(counts.best(1) == list_of({{"m", "1", 12'000}}));
  counts.note_total("n", "1", 0, 0);
  CHECK(counts.best(9).models.size() == 1);
}

TEST_CASE("the most popular come first, new requests before many old ones, equal ones by name") {
  popularity counts(hour_ms);
  counts.note_total("old", "1", 100, 0);
  counts.note_total("new", "2", 20, 4 * hour_ms);
  counts.note_total("also", "1", 20, 4 * hour_ms);
  CHECK(counts.best(3)
        == list_of({{"also", "1", 20'000}, {"new", "2", 20'000}, {"old", "1", 6'250}}));
  CHECK(counts.best(1).models.size() == 1);
  CHECK(counts.best(0).models.empty());
}

TEST_CASE("what was stored goes on where it stopped, with what has been counted since") {
  popularity before(hour_ms);
  before.note_total("m", "1", 7, 5 * hour_ms);
  before.note_total("n", "1", 2, 5 * hour_ms);
  popularity after(hour_ms);
  after.note_total("n", "1", 9, 0);
  after.restore(before.best(popularity::names_max));
  CHECK(after.best(2) == list_of({{"n", "1", 11'000}, {"m", "1", 7'000}}));
  after.note_total("n", "1", 10, 0);
  CHECK(after.best(1) == list_of({{"n", "1", 12'000}}));
}

TEST_CASE("what is worth nothing is forgotten, and so is the least of too many") {
  popularity counts(hour_ms);
  counts.note_total("m", "1", 1, 0);
  counts.fade(9 * hour_ms);
  CHECK(counts.best(1).models.size() == 1);
  counts.fade(11 * hour_ms);
  CHECK(counts.best(1).models.empty());
  // It is not counted again.
  counts.note_total("m", "1", 1, 11 * hour_ms);
  CHECK(counts.best(1).models.empty());
  for (std::uint64_t number = 1; number <= popularity::names_max + 3; ++number)
    counts.note_total("m" + std::to_string(number), "1", number, 11 * hour_ms);
  const auto kept = counts.best(1'000).models;
  REQUIRE(kept.size() == popularity::names_max);
  CHECK(kept.back().model == "m4");
}

TEST_CASE("stored scores that no requests can reach change nothing else") {
  popularity counts(hour_ms);
  counts.restore(list_of({{"huge", "1", ~std::uint64_t{0}}, {"none", "1", 0}, {"m", "1", 5'000}}));
  const auto all = counts.best(9).models;
  REQUIRE(all.size() == 2);
  CHECK(all[0].model == "huge");
  CHECK(all[1] == popular_model{"m", "1", 5'000});
  popularity again(hour_ms);
  again.restore(counts.best(9));
  CHECK(again.best(9) == counts.best(9));
}
