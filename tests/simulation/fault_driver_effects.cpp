// Faults on messages and forwards, which hold for a while and strike each with a probability.
#include <algorithm>
#include <vector>

#include "actors/node/messages.hpp"
#include "actors/type_ids.hpp"
#include "tests/simulation/fault_driver.hpp"

namespace dim::simulation {

using scenario::fault;
using scenario::fault_action;

namespace {

/// Most forwards are short, a few take seconds.
std::int64_t draw_cost_us(runtime::random_source& random) {
  auto is_long = random.below(50) == 0;
  return 2'000 + static_cast<std::int64_t>(random.below(is_long ? 5'000'000 : 300'000));
}

bool is_named(const std::vector<std::string>& messages, const std::string& type) {
  return messages.empty() || std::find(messages.begin(), messages.end(), type) != messages.end();
}

/// Flips one bit of the first tensor that has bytes.
void flip_bit(models::tensor_list& tensors, std::uint64_t number) {
  for (auto& one : tensors) {
    auto view = one.data.view();
    if (view.empty())
      continue;
    std::vector<char> data(view.begin(), view.end());
    data[number % data.size()] ^= 0x10;
    one.data = runtime::bytes{std::move(data)};
    return;
  }
}

}  // namespace

bool fault_driver::fits_forward(const fault& each, std::uint32_t index, const std::string& model) {
  auto& target = each.target;
  return scenario::fits(target, net_.name_of(cluster_->node_host(index)))
         || scenario::fits(target, "agent/" + model) || scenario::fits(target, "model/" + model);
}

forward_fate fault_driver::forward(std::uint32_t index, const std::string& model) {
  forward_fate fate;
  fate.cost_us = draw_cost_us(sim_.random);
  fate.number = ++wrong_answers_;
  for (auto& each : plan_.faults) {
    auto is_of_forwards = each.action == fault_action::slow
                          || each.action == fault_action::wrong_result
                          || each.action == fault_action::out_of_memory;
    if (!is_of_forwards || !is_open(each) || !fits_forward(each, index, model)
        || sim_.random.unit() >= each.probability)
      continue;
    count(each, net_.name_of(cluster_->node_host(index)));
    if (each.action == fault_action::slow)
      fate.cost_us = static_cast<std::int64_t>(static_cast<double>(fate.cost_us) * each.factor);
    fate.is_wrong = fate.is_wrong || each.action == fault_action::wrong_result;
    fate.out_of_memory = fate.out_of_memory || each.action == fault_action::out_of_memory;
  }
  return fate;
}

bool fault_driver::fits_packet(const fault& each, const packet& what) const {
  return is_named(each.messages, what.type)
         && (scenario::fits(each.target, net_.name_of(what.from))
             || scenario::fits(each.target, net_.name_of(what.to)));
}

void fault_driver::corrupt(packet& what, std::uint64_t number) {
  auto& content = what.content;
  if (content.match_elements<actors::execution_finished>())
    flip_bit(content.get_mutable_as<actors::execution_finished>(0).outputs, number);
  else if (content.match_elements<actors::run_execution>())
    flip_bit(content.get_mutable_as<actors::run_execution>(0).inputs, number);
}

packet_fate fault_driver::on_packet(packet& what) {
  packet_fate fate;
  if (!is_running())
    return fate;
  for (auto& each : plan_.faults) {
    auto is_of_packets = each.action == fault_action::drop || each.action == fault_action::delay
                         || each.action == fault_action::duplicate
                         || each.action == fault_action::corrupt;
    if (!is_of_packets || !is_open(each) || !fits_packet(each, what)
        || sim_.random.unit() >= each.probability)
      continue;
    ++strikes_[std::string{to_string(each.action)}];
    if (each.action == fault_action::drop)
      fate.dropped = true;
    if (each.action == fault_action::duplicate)
      ++fate.extra_copies;
    if (each.action == fault_action::corrupt)
      corrupt(what, sim_.random.next());
    if (each.action == fault_action::delay) {
      auto span = std::max<std::int64_t>(each.delay_ms_max - each.delay_ms_min, 0);
      fate.delay_us += 1'000 * (each.delay_ms_min + static_cast<std::int64_t>(sim_.random.below(
                                                      static_cast<std::uint64_t>(span) + 1)));
    }
  }
  return fate;
}

}  // namespace dim::simulation
