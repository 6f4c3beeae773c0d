#include "tests/simulation/basp_world.hpp"

#include <algorithm>
#include <system_error>

#include <unistd.h>

#include <caf/io/all.hpp>

#include "actors/type_ids.hpp"

namespace dim::simulation {

namespace {

/// A folder in memory where there is one: a run makes thousands of small writes.
std::filesystem::path make_folder() {
  const std::filesystem::path memory{"/dev/shm"};
  std::error_code problem;
  const auto parent = std::filesystem::is_directory(memory, problem)
                        ? memory
                        : std::filesystem::temp_directory_path();
  auto name = (parent / "dim-simulation-XXXXXX").string();
  return ::mkdtemp(name.data()) == nullptr ? parent : std::filesystem::path{name};
}

/// From the start of all processes to the first submission.
constexpr std::int64_t begin_ms = 3'000;

constexpr std::int64_t look_ms = 500;

/// From the moment when all is settled until the end, for what has still to come to rest.
constexpr std::int64_t rest_ms = 45'000;

}  // namespace

basp_world::basp_world(scenario::scenario plan, std::ostream* trace)
  : plan_(std::move(plan)),
    random_(plan_.seed),
    folder_(make_folder()),
    network_(plan_.seed ^ 0x6e6574) {
  trace_.write_to(trace);
  add_hosts();
}

basp_world::~basp_world() {
  for (auto& each : hosts_)
    if (each->is_up())
      network_.remove(*each->process, false, now_);
  hosts_.clear();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::int64_t basp_world::now_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()).count();
}

void basp_world::after_ms(std::int64_t delay_ms, timeline::deed what) {
  deeds_.at(now_ + std::chrono::milliseconds{delay_ms}, std::move(what));
}

void basp_world::note(const std::string& text) {
  trace_.mix(text);
  if (trace_.is_written())
    trace_.line(now_ms() * 1'000, text);
}

basp_world::host* basp_world::host_of(const basp_process& process) {
  for (auto& each : hosts_)
    if (each->process.get() == &process)
      return each.get();
  return nullptr;
}

bool basp_world::is_awake(const basp_process& process) {
  const auto* found = host_of(process);
  return found != nullptr && found->is_awake();
}

outcome basp_world::run() {
  for (auto& each : hosts_)
    start(*each);
  after_ms(begin_ms, [this] {
    // Everybody has joined, and nobody has asked for anything yet.
    wanted_baseline_ = &before_;
    start_client();
  });
  plan_faults();
  after_ms(plan_.duration_ms, [this] { end_faults(); });
  const auto until_ms = plan_.duration_ms + plan_.settle_ms;
  std::int64_t looked_ms = 0;
  std::int64_t rests_until_ms = 0;
  while (rests_until_ms == 0 || now_ms() < rests_until_ms) {
    if (!step())
      break;
    if (rests_until_ms != 0 || !faults_are_over_ || now_ms() < looked_ms + look_ms)
      continue;
    looked_ms = now_ms();
    if (is_settled() || now_ms() > until_ms)
      rests_until_ms = now_ms() + rest_ms;
  }
  wanted_baseline_ = &after_;
  while (wanted_baseline_ != nullptr && step()) {
  }
  collect();
  result_.verdicts = scenario::check(result_.seen);
  for (auto& verdict : result_.verdicts)
    for (auto& one : verdict.violations)
      result_.violations.push_back(one);
  result_.hash = trace_.hash();
  result_.virtual_ms = now_ms();
  result_.packets = network_.counts().segments;
  return std::move(result_);
}

bool basp_world::step() {
  ++result_.steps;
  for (auto& each : hosts_)
    if (each->orchestrator && each->orchestrator->disk_state->has_crashed) {
      kill(*each, 1'000 + static_cast<std::int64_t>(random_.below(4'000)));
      return true;
    }
  if (run_brokers())
    return true;
  std::size_t ready = 0;
  for (auto& each : hosts_)
    ready += each->is_awake() ? each->process->ready() : 0;
  const auto awake = [this](const basp_process& process) { return is_awake(process); };
  const auto arrival = network_.next_arrival(awake);
  const auto choices = ready + (arrival && *arrival <= now_ ? 1 : 0);
  if (choices == 0)
    return advance();
  auto chosen = random_.below(choices);
  if (chosen < ready)
    return run_actor(chosen);
  std::size_t size = 0;
  auto* reader = network_.deliver(now_, awake, size);
  trace_.mix(size);
  if (trace_.is_written())
    trace_.line(now_ms() * 1'000, reader->name() + " reads " + std::to_string(size));
  network_.collect(*reader, now_);
  return true;
}

bool basp_world::run_brokers() {
  for (auto& each : hosts_)
    if (each->is_awake() && each->process->run_broker()) {
      network_.collect(*each->process, now_);
      return true;
    }
  return false;
}

bool basp_world::run_actor(std::size_t index) {
  for (auto& each : hosts_) {
    if (!each->is_awake())
      continue;
    auto& process = *each->process;
    if (index >= process.ready()) {
      index -= process.ready();
      continue;
    }
    const auto next = process.peek(index);
    trace_.mix(each->name);
    trace_.mix(next.actor);
    if (next.element != nullptr) {
      const auto& content = next.element->content();
      trace_.mix_type(process.system(), content);
      if (trace_.is_written())
        trace_.line(now_ms() * 1'000, each->name + " " + next.name + " "
                                        + trace_.name_of(process.system(), content));
      if (content.match_elements<caf::connect_atom, std::string, std::uint16_t>())
        network_.dial(process, content.get_as<std::string>(1), content.get_as<std::uint16_t>(2),
                      now_);
    }
    process.run(index);
    network_.collect(process, now_);
    return true;
  }
  return false;
}

bool basp_world::advance() {
  // Nobody has a message now.
  if (auto* wanted = std::exchange(wanted_baseline_, nullptr))
    note_baseline(*wanted);
  auto next = time_point::max();
  for (auto& each : hosts_)
    if (each->is_awake())
      next = std::min(next, each->process->next_timer().value_or(time_point::max()));
  const auto awake = [this](const basp_process& process) { return is_awake(process); };
  next = std::min(next, network_.next_arrival(awake).value_or(time_point::max()));
  next = std::min(next, deeds_.next().value_or(time_point::max()));
  if (next == time_point::max())
    return false;
  now_ = std::max(now_, next);
  trace_.mix(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  for (auto& each : hosts_)
    if (each->is_awake())
      each->process->advance_to(now_);
  while (deeds_.next() && *deeds_.next() <= now_)
    deeds_.take()();
  return true;
}

outcome run_basp_seed(const scenario::scenario& plan, std::ostream* trace) {
  basp_world world{plan, trace};
  return world.run();
}

}  // namespace dim::simulation
