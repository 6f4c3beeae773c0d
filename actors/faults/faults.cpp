#include "actors/faults/faults.hpp"

#include <algorithm>
#include <csignal>

#include <unistd.h>

#include "actors/faults/agent_processes.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"
#include "runtime/name_pattern.hpp"
#include "runtime/process_signal.hpp"
#include "runtime/random_source.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;
using std::chrono::milliseconds;

constexpr auto tick = milliseconds{200};
/// A process that has not reported for this long is not asked any more.
constexpr std::int64_t silence_max_ns = 1'500'000'000;
/// For the others to carry out a fault.
constexpr std::uint64_t strike_timeout_ms = 1'000;
/// A process that hits itself answers first.
constexpr auto last_words = milliseconds{50};

constexpr const char* refusal =
  "fault injection is not enabled: start the daemons with [faults] enabled = true";

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const auto& word : words)
    result += (result.empty() ? "" : ", ") + word;
  return result;
}

bool is_at_once(fault_kind kind) {
  return kind == fault_kind::kill || kind == fault_kind::stop;
}

}  // namespace

/// A fault on its way to every process; answered when all have, or their time is over.
struct faults_state::broadcast {
  caf::typed_response_promise<fault_injected> promise;
  fault_injected result;
  std::string target;
  std::size_t open = 0;
};

void faults_state::initialise(self_pointer pointer, faults_arguments values) {
  self = pointer;
  arguments = std::move(values);
  auto& context = runtime::context_of(self->home_system());
  ids = std::make_unique<runtime::id_source>(context.seed ^ self->id());
  if (!arguments.is_enabled)
    return;
  runtime::log(runtime::log_level::warn, name,
               "lets whoever reaches the gateway do harm to this process",
               {{"process", joined(arguments.board->names())}});
  refresh();
}

caf::result<fault_injected> faults_state::inject(inject_fault& wish) {
  if (!arguments.is_enabled)
    return runtime::to_error(error_code::forbidden, refusal);
  auto& order = wish.order;
  if (auto problems = problems_of(order, arguments.lasts_max_ms); !problems.empty())
    return runtime::to_error(error_code::bad_input, "the fault can not be injected",
                             std::move(problems));
  order.id = ids->next(runtime::wall_ms(self->home_system()));
  auto run = std::make_shared<broadcast>();
  run->promise = self->make_response_promise<fault_injected>();
  run->target = order.target;
  run->result = strike(order);
  for (auto& [names, each] : members)
    run->open += is_member_here(each) ? 1 : 0;
  if (run->open == 0 || hits_itself(order)) {
    run->open = 0;
    finish(*run);
  }
  for (auto& [names, each] : members)
    if (is_member_here(each))
      calls.call(self, each.handle, strike_timeout_ms, joined(names), strike_fault{order},
                 [this, run](runtime::expected<fault_injected> reply) {
                   if (run->open == 0)
                     return;
                   if (reply)
                     run->result.struck.insert(run->result.struck.end(), reply->struck.begin(),
                                               reply->struck.end());
                   if (--run->open == 0)
                     finish(*run);
                 });
  return run->promise;
}

void faults_state::finish(broadcast& run) {
  if (!run.result.struck.empty()) {
    run.promise.deliver(std::move(run.result));
    return;
  }
  end_everywhere(run.result.id);
  run.promise.deliver(runtime::to_error(
    error_code::not_found, "nothing that can be hit fits the target '" + run.target + "'"));
}

void faults_state::end_everywhere(const std::string& id) {
  arguments.board->remove(id);
  refresh();
  for (auto& [names, each] : members) {
    if (is_member_here(each))
      calls.call(self, each.handle, strike_timeout_ms, joined(names), clear_faults{id},
                 [](const runtime::expected<fault_list>&) {});
    std::erase_if(each.last.active,
                  [&](const auto& active) { return id.empty() || active.order.id == id; });
  }
}

bool faults_state::is_member_here(const member& each) const {
  return runtime::clock_ns(self->home_system()) - each.seen_ns < silence_max_ns;
}

bool faults_state::hits_itself(const fault_order& order) const {
  const auto target = parse_target(order.target);
  return is_at_once(order.kind) && target.kind == target_kind::process
         && concerns(target, arguments.board->names());
}

fault_injected faults_state::strike(const fault_order& order) {
  fault_injected result{order.id, {}};
  if (is_at_once(order.kind)) {
    result.struck = strike_at_once(order);
  } else {
    if (is_concerned(order))
      result.struck.push_back(arguments.board->names().front());
    const auto now_ns = runtime::clock_ns(self->home_system());
    arguments.board->put(order, now_ns + static_cast<std::int64_t>(order.lasts_ms) * 1'000'000);
    refresh();
  }
  if (!result.struck.empty())
    runtime::log(runtime::log_level::warn, name, "injected a fault",
                 {{"fault_id", order.id},
                  {"action", to_string(order.kind)},
                  {"target", order.target},
                  {"struck", joined(result.struck)},
                  {"lasts_ms", order.lasts_ms}});
  return result;
}

bool faults_state::is_concerned(const fault_order& order) const {
  const auto& names = arguments.board->names();
  switch (order.kind) {
    case fault_kind::fill_disk:
      return arguments.is_orchestrator && concerns(parse_target(order.target), names);
    case fault_kind::slow:
    case fault_kind::wrong_result:
    case fault_kind::out_of_memory:
      return fits_any("node/*", names) && concerns(parse_target(order.target), names);
    default:
      return concerns(parse_target(order.target), names);
  }
}

std::vector<std::string> faults_state::strike_at_once(const fault_order& order) {
  const auto target = parse_target(order.target);
  const auto& names = arguments.board->names();
  if (!concerns(target, names))
    return {};
  if (target.kind == target_kind::agent)
    return signal_agent(order, target);
  if (target.kind == target_kind::actor)
    return kill_actor(order, target);
  if (!send_signal(order, ::getpid()))
    return {};
  return {names.front()};
}

bool faults_state::send_signal(const fault_order& order, std::int64_t pid) {
  std::vector<runtime::later_signal> signals{{last_words, SIGKILL}};
  if (order.kind == fault_kind::stop)
    signals = {{last_words, SIGSTOP}, {milliseconds{order.lasts_ms}, SIGCONT}};
  const auto sent = runtime::signal_later(pid, signals);
  if (!sent)
    runtime::log(runtime::log_level::error, name, "could not send a signal",
                 {{"fault_id", order.id}, {"reason", sent.error().message}});
  return sent.has_value();
}

std::vector<std::string> faults_state::signal_agent(const fault_order& order,
                                                    const fault_target& target) {
  auto agents = list_agent_children();
  std::erase_if(agents, [&](const auto& each) { return !runtime::fits(target.name, each.model); });
  if (agents.empty())
    return {};
  const auto& chosen = agents[runtime::random_source{order.seed}.below(agents.size())];
  if (!send_signal(order, chosen.pid))
    return {};
  return {"agent/" + chosen.model + "@" + arguments.board->names().front()};
}

std::vector<std::string> faults_state::kill_actor(const fault_order& order,
                                                  const fault_target& target) {
  auto& table = runtime::context_of(self->home_system()).actors;
  auto lines = table.lines();
  std::erase_if(lines, [&](const auto& each) {
    return each.name == name || !runtime::fits(target.name, each.name);
  });
  if (lines.empty())
    return {};
  const auto& chosen = lines[runtime::random_source{order.seed}.below(lines.size())];
  if (auto victim = table.find(chosen.id))
    caf::anon_send_exit(victim, caf::exit_reason::kill);
  return {"actor/" + chosen.name + "@" + arguments.board->names().front()};
}

fault_process faults_state::process() const {
  fault_process result;
  result.names = arguments.board->names();
  result.pid = ::getpid();
  for (const auto& agent : list_agent_children())
    result.agents.push_back("agent/" + agent.model);
  return result;
}

fault_list faults_state::everything() const {
  fault_list result;
  std::map<std::string, active_fault> active;
  const auto add = [&](const std::vector<active_fault>& list) {
    for (const auto& each : list) {
      auto& known = active.try_emplace(each.order.id, active_fault{each.order}).first->second;
      known.left_ms = std::max(known.left_ms, each.left_ms);
      known.strikes += each.strikes;
    }
  };
  result.processes.push_back(process());
  add(arguments.board->active(runtime::clock_ns(self->home_system())));
  for (const auto& [names, each] : members) {
    if (!is_member_here(each))
      continue;
    result.processes.push_back(each.last.process);
    add(each.last.active);
  }
  for (auto& [id, each] : active)
    result.active.push_back(std::move(each));
  return result;
}

caf::result<fault_list> faults_state::list() const {
  if (!arguments.is_enabled)
    return runtime::to_error(error_code::forbidden, refusal);
  return everything();
}

caf::result<fault_list> faults_state::clear(const clear_faults& wish) {
  if (!arguments.is_enabled)
    return runtime::to_error(error_code::forbidden, refusal);
  auto before = everything();
  std::erase_if(before.active,
                [&](const auto& each) { return !wish.id.empty() && each.order.id != wish.id; });
  if (!wish.id.empty() && before.active.empty())
    return runtime::to_error(error_code::not_found, "no fault '" + wish.id + "' is active");
  end_everywhere(wish.id);
  runtime::log(runtime::log_level::warn, name, "ended faults on request",
               {{"fault_id", wish.id.empty() ? "all" : wish.id}});
  return before;
}

void faults_state::note_report(faults_report& news) {
  auto sender = caf::actor_cast<faults_actor>(self->current_sender());
  if (!arguments.is_enabled || !sender || news.process.names.empty())
    return;
  auto& known = members[news.process.names];
  const auto is_new = known.handle != sender;
  known = {std::move(news), sender, runtime::clock_ns(self->home_system())};
  if (is_new)
    refresh();
}

void faults_state::refresh() {
  std::map<caf::node_id, std::vector<std::string>> peers;
  for (const auto& [names, each] : members)
    peers[each.handle.node()] = names;
  auto entry = arguments.entry.get();
  if (!arguments.is_orchestrator && entry)
    peers[entry.node()] = {"orchestrator"};
  auto& board = arguments.board;
  board->set_peers(std::move(peers));
  auto& system = self->home_system();
  auto& context = runtime::context_of(system);
  const auto is_needed = !board->active(runtime::clock_ns(system)).empty();
  if (is_needed && !context.faults)
    context.faults = [board, &system](const char* receiver, const caf::mailbox_element& element) {
      return board->decide(system, receiver, element);
    };
  if (!is_needed && context.faults)
    context.faults = nullptr;
}

void faults_state::look_at_clock() {
  arguments.board->remove_expired(runtime::clock_ns(self->home_system()));
  refresh();
  auto entry = arguments.entry.get();
  if (arguments.is_orchestrator || !entry)
    return;
  const auto now_ns = runtime::clock_ns(self->home_system());
  auto news = caf::make_message(faults_report{process(), arguments.board->active(now_ns)});
  entry->enqueue(caf::strong_actor_ptr{self->ctrl()}, caf::make_message_id(), std::move(news),
                 self->context());
}

std::string faults_state::describe() const {
  if (!arguments.is_enabled)
    return "not enabled";
  const auto now_ns = runtime::clock_ns(self->home_system());
  return joined(arguments.board->names()) + ", active "
         + std::to_string(arguments.board->active(now_ns).size()) + ", processes "
         + std::to_string(members.size());
}

faults_actor::behavior_type faults(faults_state::self_pointer self, faults_arguments arguments) {
  auto& state = self->state;
  const auto is_enabled = arguments.is_enabled;
  state.initialise(self, std::move(arguments));
  if (is_enabled)
    self->send(self, faults_due{});
  return {
    [&state](inject_fault& wish) { return state.inject(wish); },
    [&state](list_faults) { return state.list(); },
    [&state](const clear_faults& wish) { return state.clear(wish); },
    [&state](faults_report& news) { state.note_report(news); },
    [&state](const strike_fault& wish) { return state.strike(wish.order); },
    [self, &state](faults_due) {
      state.look_at_clock();
      self->delayed_send(self, tick, faults_due{});
    },
  };
}

}  // namespace dim::actors
