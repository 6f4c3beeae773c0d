// CHANNEL against the other end of its channel, which a thread of the test plays.
#include "actors/agent/channel.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "actors/message_types.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "tests/models/tensors.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::channel_frame;
using runtime::error_code;

namespace {

/// Only a defect takes so long.
constexpr auto patience = std::chrono::seconds{60};

runtime::descriptor copy_of(const runtime::descriptor& from) {
  return runtime::descriptor{::dup(from.number())};
}

/// The agent process's end: gives each question to `answer`, and sends what that gives, if
/// anything.
class other_end {
public:
  using answer_function =
    std::function<std::optional<channel_frame>(std::uint64_t number, inference_question)>;

  other_end(caf::actor_system& system, const runtime::channel_descriptors& held,
            answer_function answer)
    : system_(system), answer_(std::move(answer)) {
    auto joined = runtime::shared_channel::join(
      {copy_of(held.memory), copy_of(held.maker_bell), copy_of(held.guest_bell)});
    REQUIRE(joined);
    channel_ = std::move(*joined);
    thread_ = std::thread{[this] { run(); }};
  }
  ~other_end() {
    is_stopped_ = true;
    channel_->ring_self();
    thread_.join();
  }

private:
  void run() {
    runtime::frame_writer writer{channel_->outgoing()};
    runtime::frame_reader reader{channel_->incoming()};
    while (!is_stopped_) {
      channel_->incoming().expect_input();
      if (!channel_->incoming().has_input() && writer.is_done())
        channel_->wait();
      while (auto frame = take(reader)) {
        auto number = frame->number;
        auto question = question_of(system_, std::move(*frame));
        if (!question)
          return;
        if (auto reply = answer_(number, std::move(*question)))
          writer.push(std::move(*reply));
      }
      if (writer.flush())
        channel_->ring_peer();
    }
  }

  std::optional<channel_frame> take(runtime::frame_reader& reader) {
    auto frame = reader.next();
    if (channel_->incoming().release())
      channel_->ring_peer();
    return frame ? std::move(*frame) : std::nullopt;
  }

  caf::actor_system& system_;
  answer_function answer_;
  std::shared_ptr<runtime::shared_channel> channel_;
  std::atomic<bool> is_stopped_{false};
  std::thread thread_;
};

/// CHANNEL in an actor system with threads.
struct channel_fixture {
  explicit channel_fixture(other_end::answer_function answer)
    : made(*runtime::shared_channel::make()),
      end(std::make_unique<other_end>(system, made->descriptors(), std::move(answer))) {
    channel = system.spawn(actors::channel, channel_arguments{made, "model:1", {}});
  }
  ~channel_fixture() {
    caf::anon_send_exit(channel, caf::exit_reason::user_shutdown);
  }

  /// The reply to a batch, or why there is none.
  runtime::expected<batch_result> run(run_batch batch) {
    runtime::expected<batch_result> outcome;
    asker->request(channel, patience, std::move(batch))
      .receive([&](batch_result& reply) { outcome = std::move(reply); },
               [&](const caf::error& problem) {
                 outcome = tl::unexpected(runtime::to_failure(problem));
               });
    return outcome;
  }

  static runtime::system_config make_config() {
    runtime::system_config config;
    add_message_types(config);
    return config;
  }

  runtime::system_config config = make_config();
  caf::actor_system system{config};
  caf::scoped_actor asker{system};
  std::shared_ptr<runtime::shared_channel> made;
  std::unique_ptr<other_end> end;
  channel_actor channel;
};

run_batch batch_of(std::uint64_t id, std::size_t numbers) {
  run_batch batch;
  batch.batch_id = id;
  std::vector<float> values(numbers);
  for (std::size_t place = 0; place < numbers; ++place)
    values[place] = static_cast<float>(place % 1'000) + static_cast<float>(id);
  batch.requests = {{tests::floats("x", {1, static_cast<std::int64_t>(numbers)}, values)},
                    {tests::texts("words", {2}, {"one", ""})}};
  return batch;
}

/// What a model that passes its inputs on would answer.
std::optional<channel_frame> echo(caf::actor_system& system, std::uint64_t number,
                                  inference_question question) {
  auto& batch = std::get<run_batch>(question);
  return to_frame(system, number,
                  inference_reply{batch_result{batch.batch_id, std::move(batch.requests), 7, {}}});
}

}  // namespace

TEST_CASE("a batch goes over the channel and its answer comes back, bit for bit") {
  channel_fixture* at = nullptr;
  channel_fixture f{[&at](std::uint64_t number, inference_question question) {
    return echo(at->system, number, std::move(question));
  }};
  at = &f;
  for (std::uint64_t id = 1; id <= 200; ++id) {
    auto batch = batch_of(id, id % 70);
    auto reply = f.run(batch);
    REQUIRE(reply);
    CHECK(reply->batch_id == id);
    CHECK(reply->outputs == batch.requests);
    CHECK(reply->forward_us == 7);
  }
}

TEST_CASE("batches that are larger than the shared memory pass in parts, both ways at once") {
  channel_fixture* at = nullptr;
  channel_fixture f{[&at](std::uint64_t number, inference_question question) {
    return echo(at->system, number, std::move(question));
  }};
  at = &f;
  constexpr std::size_t numbers = 3 * runtime::shared_channel::capacity / sizeof(float) + 13;
  auto first = batch_of(1, numbers);
  auto second = batch_of(2, numbers);
  auto ask = [&](const run_batch& batch) {
    return f.asker->request(f.channel, patience, batch);
  };
  auto waits = ask(first);
  auto waits_too = ask(second);
  auto check = [](const run_batch& asked) {
    return [&asked](const batch_result& reply) { CHECK(reply.outputs == asked.requests); };
  };
  auto failed = [](const caf::error& problem) { FAIL(caf::to_string(problem)); };
  waits.receive(check(first), failed);
  waits_too.receive(check(second), failed);
}

TEST_CASE("what INFERENCE fails with reaches who asked, and the next batch is served") {
  channel_fixture* at = nullptr;
  channel_fixture f{[&at](std::uint64_t number, inference_question question) {
    auto& batch = std::get<run_batch>(question);
    if (batch.batch_id == 1)
      return std::optional{to_frame(at->system, number,
                                    inference_reply{runtime::failure{
                                      error_code::bad_input, "a row too many", {"x"}}})};
    return echo(at->system, number, std::move(question));
  }};
  at = &f;
  auto failed = f.run(batch_of(1, 3));
  REQUIRE_FALSE(failed);
  CHECK(failed.error() == runtime::failure{error_code::bad_input, "a row too many", {"x"}});
  CHECK(f.run(batch_of(2, 3)));
}

TEST_CASE("a process that answers what was not asked is trusted no more") {
  channel_fixture* at = nullptr;
  SUBCASE("another number") {
    channel_fixture f{[&at](std::uint64_t number, inference_question question) {
      return echo(at->system, number + 1, std::move(question));
    }};
    at = &f;
    auto first = f.run(batch_of(1, 3));
    REQUIRE_FALSE(first);
    CHECK(first.error().code == error_code::protocol_mismatch);
    CHECK_FALSE(f.run(batch_of(2, 3)));
  }
  SUBCASE("another kind of answer") {
    channel_fixture f{[&at](std::uint64_t number, inference_question) {
      return std::optional{to_frame(at->system, number, inference_reply{model_loaded{1, 2}})};
    }};
    at = &f;
    auto first = f.run(batch_of(1, 3));
    REQUIRE_FALSE(first);
    CHECK(first.error().code == error_code::protocol_mismatch);
  }
  SUBCASE("what can not be read") {
    channel_fixture f{[](std::uint64_t number, inference_question) {
      return std::optional{channel_frame{number, 1, {'?'}, {}}};
    }};
    at = &f;
    auto first = f.run(batch_of(1, 3));
    REQUIRE_FALSE(first);
    CHECK(first.error().code == error_code::protocol_mismatch);
  }
}

TEST_CASE("who waits for an answer is told when the channel ends") {
  channel_fixture f{[](std::uint64_t, inference_question) -> std::optional<channel_frame> {
    return std::nullopt;
  }};
  auto waits = f.asker->request(f.channel, patience, batch_of(1, 3));
  caf::anon_send_exit(f.channel, caf::exit_reason::user_shutdown);
  auto is_told = false;
  waits.receive([](const batch_result&) { FAIL("nobody has answered"); },
                [&](const caf::error&) { is_told = true; });
  CHECK(is_told);
}

TEST_CASE("a process that takes what was not there is trusted no more") {
  std::promise<void> is_held;
  std::promise<void> may_go;
  channel_fixture f{[&](std::uint64_t, inference_question) -> std::optional<channel_frame> {
    is_held.set_value();
    may_go.get_future().wait();
    return std::nullopt;
  }};
  auto first = f.asker->request(f.channel, patience, batch_of(1, 3));
  REQUIRE(is_held.get_future().wait_for(patience) == std::future_status::ready);
  // Nobody reads: it does not fit.
  auto second = f.asker->request(f.channel, patience,
                                 batch_of(2, runtime::shared_channel::capacity));
  // What goes out has the first ring of the memory, which begins with the numbers of both sides.
  constexpr std::size_t taken_at = 64;
  constexpr std::size_t page = 4'096;
  auto* memory = static_cast<char*>(::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED,
                                           f.made->descriptors().memory.number(), 0));
  REQUIRE(memory != MAP_FAILED);
  reinterpret_cast<std::atomic<std::uint64_t>*>(memory + taken_at)->store(1ull << 40);
  ::munmap(memory, page);
  f.made->ring_self();
  std::vector<error_code> failures;
  auto note = [&](const caf::error& problem) {
    failures.push_back(runtime::to_failure(problem).code);
  };
  auto unasked = [](const batch_result&) { FAIL("nobody has answered"); };
  first.receive(unasked, note);
  second.receive(unasked, note);
  CHECK(failures == std::vector<error_code>(2, error_code::protocol_mismatch));
  CHECK_FALSE(f.run(batch_of(3, 3)));
  may_go.set_value();
}
