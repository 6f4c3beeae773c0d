#include <doctest/doctest.h>

#include "actors/node/outbox.hpp"

using dim::actors::execution_finished;
using dim::actors::fetch_chunk;
using dim::actors::inline_data_max;
using dim::actors::outbox;
using dim::runtime::error_code;

namespace {

execution_finished result(std::string id, std::uint32_t epoch = 1, std::size_t bytes = 8,
                          char fill = 'x') {
  execution_finished news;
  news.execution_id = std::move(id);
  news.epoch = epoch;
  auto size = static_cast<std::int64_t>(bytes);
  news.outputs = {dim::models::make_tensor("y", dim::models::datatype::uint8, {size},
                                           std::vector<char>(bytes, fill))};
  return news;
}

}  // namespace

TEST_CASE("a small output travels inside its message, a large one is detached and served") {
  outbox box{10, 1 << 30};
  auto& small = box.keep(result("a", 1, inline_data_max), 0, 100);
  CHECK(small.outputs[0].data.size() == inline_data_max);
  CHECK(box.bytes() == 0);
  constexpr std::size_t size = (2 << 20) + 17;
  auto& large = box.keep(result("b", 1, size), 0, 100);
  REQUIRE(large.outputs[0].is_detached());
  CHECK(large.outputs[0].byte_size == size);
  CHECK(box.bytes() == size);

  auto digest = large.outputs[0].digest;
  auto first = box.read({digest, 0, 1 << 20});
  REQUIRE(first);
  CHECK(first->total_size == size);
  CHECK(first->data.size() == 1 << 20);
  auto last = box.read({digest, 2 << 20, 1 << 20});
  REQUIRE(last);
  CHECK(last->data.view() == std::string(17, 'x'));
  CHECK(box.read({digest, size + 1, 1}).error().code == error_code::bad_input);
  CHECK(box.read({digest, 0, (1 << 20) + 1}).error().code == error_code::bad_input);
  CHECK(box.read({"unknown", 0, 1}).error().code == error_code::not_found);

  box.acknowledge("b", 1);
  CHECK(box.bytes() == 0);
  CHECK(box.read({digest, 0, 1}).error().code == error_code::not_found);
}

TEST_CASE("equal large outputs are kept once, until the last result that names them is gone") {
  outbox box{10, 1 << 30};
  box.keep(result("a", 1, 100'000), 0, 100);
  auto digest = box.keep(result("b", 1, 100'000), 0, 100).outputs[0].digest;
  CHECK(box.bytes() == 100'000);
  box.acknowledge("a", 1);
  CHECK(box.read({digest, 0, 10}));
  box.acknowledge("b", 1);
  CHECK_FALSE(box.read({digest, 0, 10}));
  CHECK(box.bytes() == 0);
}

TEST_CASE("only the acknowledged epoch is forgotten, and a newer one replaces the older") {
  outbox box{10, 1 << 30};
  box.keep(result("a", 1, 100'000, 'o'), 0, 100);
  box.keep(result("a", 2, 100'000, 'n'), 0, 100);
  CHECK(box.size() == 1);
  CHECK(box.bytes() == 100'000);
  CHECK(box.find("a", 1) == nullptr);
  box.acknowledge("a", 1);
  CHECK(box.size() == 1);
  REQUIRE(box.find("a", 2) != nullptr);
  box.acknowledge("a", 2);
  box.acknowledge("a", 2);
  CHECK(box.size() == 0);
}

TEST_CASE("a result is sent again after its pause, until its time is over") {
  outbox box{10, 1 << 30};
  box.keep(result("a"), 1'000, 60'000);
  CHECK(box.take_due(10'999, 10'000, 9).empty());
  REQUIRE(box.take_due(11'000, 10'000, 9).size() == 1);
  CHECK(box.take_due(12'000, 10'000, 9).empty());
  CHECK(box.take_due(12'000, 0, 9).size() == 1);
  CHECK(box.take_due(60'000, 0, 9).empty());
  CHECK(box.size() == 0);
}

TEST_CASE("only so many results are sent again in one go, and the others have their turn later") {
  outbox box{1'000, 1 << 30};
  for (int number = 0; number < 300; ++number)
    box.keep(result("e" + std::to_string(number)), 0, 100'000);
  CHECK(box.take_due(10'000, 10'000, 64).size() == 64);
  std::size_t sent = 64;
  for (int tick = 1; tick <= 9; ++tick)
    sent += box.take_due(10'000 + tick * 1'000, 10'000, 64).size();
  CHECK(sent == 300);
  std::size_t named = 0;
  box.each([&named](const execution_finished&) { return ++named < 100; });
  CHECK(named == 100);
}

TEST_CASE("it is full by results or by bytes") {
  outbox by_count{2, 1 << 30};
  by_count.keep(result("a"), 0, 100);
  CHECK_FALSE(by_count.is_full());
  by_count.keep(result("b"), 0, 100);
  CHECK(by_count.is_full());
  by_count.keep(result("c"), 0, 100);
  CHECK(by_count.size() == 3);
  outbox by_bytes{100, 150'000};
  by_bytes.keep(result("a", 1, 100'000, 'a'), 0, 100);
  CHECK_FALSE(by_bytes.is_full());
  by_bytes.keep(result("b", 1, 100'000, 'b'), 0, 100);
  CHECK(by_bytes.is_full());
  by_bytes.acknowledge("a", 1);
  CHECK_FALSE(by_bytes.is_full());
}
