#include "actors/cluster/result_fetch.hpp"

#include <algorithm>
#include <cstring>

#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/copy_count.hpp"

namespace dim::actors {

namespace {

constexpr std::uint64_t chunk_bytes = 1 << 20;
constexpr std::uint32_t window = 4;

/// A node that is silent for this long will not answer: its loss ends the execution anyway.
constexpr auto patience = std::chrono::seconds{30};

}  // namespace

void result_fetch_state::request_more() {
  while (!is_done && on_the_way < window && next_output < outputs.size()) {
    auto& output = outputs[next_output];
    if (!output.is_detached() || next_offset >= output.byte_size) {
      ++next_output;
      next_offset = 0;
      continue;
    }
    auto index = next_output;
    auto offset = next_offset;
    auto length = std::min(chunk_bytes, output.byte_size - offset);
    next_offset += length;
    ++on_the_way;
    self
      ->request(source, patience,
                fetch_chunk{output.digest, offset, static_cast<std::uint32_t>(length)})
      .then([this, index, offset](const chunk& part) { take(index, offset, part); },
            [this](const caf::error& what) { finish(runtime::to_failure(what)); });
  }
}

void result_fetch_state::take(std::size_t output, std::uint64_t offset, const chunk& part) {
  if (is_done)
    return;
  --on_the_way;
  auto& buffer = buffers[output];
  auto expected = std::min(chunk_bytes, buffer.size() - offset);
  if (part.data.size() != expected) {
    finish({runtime::error_code::corrupt,
            "output '" + outputs[output].name + "' came with chunks of the wrong size",
            {}});
    return;
  }
  std::memcpy(buffer.data() + offset, part.data.data(), expected);
  runtime::note_copy(runtime::copy_place::gather, expected);
  bytes_left -= expected;
  if (bytes_left == 0)
    finish({});
  else
    request_more();
}

void result_fetch_state::finish(runtime::failure error) {
  if (std::exchange(is_done, true))
    return;
  outputs_fetched news{execution_id, std::move(error), {}};
  if (news.error.code == runtime::error_code::none) {
    for (std::size_t index = 0; index < outputs.size(); ++index)
      if (outputs[index].is_detached())
        outputs[index].data = runtime::bytes{std::move(buffers[index])};
    news.outputs = std::move(outputs);
  }
  self->send(owner, std::move(news));
  self->quit();
}

result_fetch_actor::behavior_type result_fetch(result_fetch_state::self_pointer self,
                                               scheduler_actor owner, node_actor source,
                                               std::string execution_id,
                                               models::tensor_list outputs) {
  auto& state = self->state;
  state.self = self;
  state.owner = std::move(owner);
  state.source = std::move(source);
  state.execution_id = std::move(execution_id);
  state.buffers.resize(outputs.size());
  for (std::size_t index = 0; index < outputs.size(); ++index) {
    if (!outputs[index].is_detached())
      continue;
    state.buffers[index].resize(outputs[index].byte_size);
    state.bytes_left += outputs[index].byte_size;
  }
  state.outputs = std::move(outputs);
  state.request_more();
  return {[](caf::tick_atom) {}};
}

}  // namespace dim::actors
