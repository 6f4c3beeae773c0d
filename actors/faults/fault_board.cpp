#include "actors/faults/fault_board.hpp"

#include <algorithm>

#include "actors/type_ids.hpp"
#include "runtime/name_pattern.hpp"

namespace dim::actors {

namespace {

/// One step of splitmix64 from `seed` to its `number`th value: any thread may draw any number.
std::uint64_t drawn(std::uint64_t seed, std::uint64_t number) {
  auto x = seed + (number + 1) * 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

double unit(std::uint64_t random) {
  return static_cast<double>(random >> 11) * 0x1.0p-53;
}

/// Messages of the faults themselves, and CAF's notices of ends and of lost connections, which do
/// not come over a link.
bool is_exempt(const caf::type_erased_tuple& content) {
  return content.match_elements<caf::down_msg>() || content.match_elements<caf::exit_msg>()
         || content.match_elements<inject_fault>() || content.match_elements<fault_injected>()
         || content.match_elements<strike_fault>() || content.match_elements<faults_report>()
         || content.match_elements<list_faults>() || content.match_elements<fault_list>()
         || content.match_elements<clear_faults>();
}

bool names_message(const fault_order& order, caf::actor_system& system,
                   const caf::type_erased_tuple& content) {
  if (order.messages.empty())
    return true;
  const auto name = runtime::name_of(system, runtime::type_of(content));
  return std::find(order.messages.begin(), order.messages.end(), name) != order.messages.end();
}

runtime::message_fault message_fault_of(fault_kind kind) {
  switch (kind) {
    case fault_kind::drop:
    case fault_kind::partition:
      return runtime::message_fault::drop;
    case fault_kind::delay:
      return runtime::message_fault::delay;
    case fault_kind::duplicate:
      return runtime::message_fault::duplicate;
    case fault_kind::corrupt:
      return runtime::message_fault::corrupt_payload;
    default:
      return runtime::message_fault::none;
  }
}

/// Whether what comes from `sender` to `receiver` is cut off.
bool is_cut(const fault_order& order, const std::vector<std::string>& sender,
            const std::vector<std::string>& receiver) {
  const auto is_peer = [&](const std::vector<std::string>& names) {
    return order.peer.empty() ? !fits_any(order.target, names) : fits_any(order.peer, names);
  };
  if (fits_any(order.target, sender) && is_peer(receiver))
    return true;
  return !order.one_way && is_peer(sender) && fits_any(order.target, receiver);
}

}  // namespace

bool fault_board::rule::strikes_next(std::uint64_t& draw) {
  draw = drawn(order.seed, asked.fetch_add(1, std::memory_order_relaxed));
  if (unit(draw) >= order.probability)
    return false;
  strikes.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void fault_board::put(const fault_order& order, std::int64_t until_ns) {
  auto added = std::make_shared<rule>();
  added->order = order;
  added->target = parse_target(order.target);
  added->until_ns = until_ns;
  std::lock_guard guard{mutex_};
  rules_.push_back(std::move(added));
}

void fault_board::remove(const std::string& id) {
  std::lock_guard guard{mutex_};
  std::erase_if(rules_, [&](const auto& each) { return id.empty() || each->order.id == id; });
}

void fault_board::remove_expired(std::int64_t now_ns) {
  std::lock_guard guard{mutex_};
  std::erase_if(rules_, [&](const auto& each) { return each->until_ns <= now_ns; });
}

std::vector<active_fault> fault_board::active(std::int64_t now_ns) const {
  std::vector<active_fault> result;
  for (const auto& each : rules())
    if (each->until_ns > now_ns)
      result.push_back({each->order,
                        static_cast<std::uint64_t>((each->until_ns - now_ns) / 1'000'000),
                        each->strikes.load()});
  return result;
}

void fault_board::set_peers(peer_map peers) {
  auto next = std::make_shared<const peer_map>(std::move(peers));
  std::lock_guard guard{mutex_};
  peers_.swap(next);
}

fault_board::rule_list fault_board::rules() const {
  std::lock_guard guard{mutex_};
  return rules_;
}

bool fault_board::is_on_link(const rule& each, const char* receiver,
                             const std::vector<std::string>& peer) const {
  if (each.order.kind == fault_kind::partition)
    return is_cut(each.order, peer, names_);
  if (each.target.kind == target_kind::actor)
    return concerns(each.target, names_) && runtime::fits(each.target.name, receiver);
  return fits_any(each.order.target, names_) || fits_any(each.order.target, peer);
}

runtime::fault_decision fault_board::decide(caf::actor_system& system, const char* receiver,
                                            const caf::mailbox_element& element) {
  const auto& sender = element.sender;
  // Within a process nothing is ever lost.
  if (!sender || sender->node() == system.node() || is_exempt(element.content()))
    return runtime::message_fault::none;
  std::shared_ptr<const peer_map> peers;
  rule_list present;
  {
    std::lock_guard guard{mutex_};
    peers = peers_;
    present = rules_;
  }
  const auto peer = peers->find(sender->node());
  if (peer == peers->end())
    return runtime::message_fault::none;
  const auto now_ns = runtime::clock_ns(system);
  for (const auto& each : present) {
    const auto fault = message_fault_of(each->order.kind);
    if (fault == runtime::message_fault::none || each->until_ns <= now_ns)
      continue;
    std::uint64_t draw = 0;
    if (!is_on_link(*each, receiver, peer->second)
        || !names_message(each->order, system, element.content()) || !each->strikes_next(draw))
      continue;
    const auto span = each->order.delay_max_ms - each->order.delay_min_ms + 1;
    const auto pause = each->order.delay_min_ms + drawn(draw, 0) % span;
    return {fault, std::max<std::uint32_t>(1, static_cast<std::uint32_t>(pause))};
  }
  return runtime::message_fault::none;
}

runtime::write_fate fault_board::decide(runtime::disk_write write, std::int64_t now_ns) {
  if (write == runtime::disk_write::reclaim)
    return runtime::write_fate::proceed;
  for (const auto& each : rules()) {
    std::uint64_t draw = 0;
    if (each->order.kind == fault_kind::fill_disk && each->until_ns > now_ns
        && each->strikes_next(draw))
      return runtime::write_fate::full;
  }
  return runtime::write_fate::proceed;
}

forward_fault fault_board::decide_forward(const std::string& model, std::int64_t now_ns) {
  forward_fault result;
  for (const auto& each : rules()) {
    const auto kind = each->order.kind;
    const auto is_of_kind = kind == fault_kind::slow || kind == fault_kind::wrong_result
                            || kind == fault_kind::out_of_memory;
    if (!is_of_kind || each->until_ns <= now_ns)
      continue;
    if (!concerns(each->target, names_))
      continue;
    if (each->target.kind == target_kind::agent && !runtime::fits(each->target.name, model))
      continue;
    std::uint64_t draw = 0;
    if (!each->strikes_next(draw))
      continue;
    result.is_out_of_memory = result.is_out_of_memory || kind == fault_kind::out_of_memory;
    result.is_wrong = result.is_wrong || kind == fault_kind::wrong_result;
    if (kind == fault_kind::slow)
      result.factor *= each->order.factor;
  }
  return result;
}

}  // namespace dim::actors
