#include "tests/simulation/campaign.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <list>
#include <optional>
#include <utility>

namespace dim::simulation {

namespace {

using clock = std::chrono::steady_clock;

/// A run in a child process and what it has written so far.
struct child {
  planned_run run;
  pid_t pid = -1;
  int descriptor = -1;
  std::string text;
  clock::time_point ends_at;
  bool is_over = false;
};

void write_all(int descriptor, const std::string& text) {
  std::size_t written = 0;
  while (written < text.size()) {
    auto count = ::write(descriptor, text.data() + written, text.size() - written);
    if (count < 0 && errno != EINTR)
      return;
    written += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
}

[[noreturn]] void run_in_child(const planned_run& run, const campaign_options& wanted,
                               int descriptor) {
  auto begin = std::clock();
  auto hooks = wanted.hooks ? wanted.hooks() : nullptr;
  run_options options;
  options.quality = run.quality;
  options.hooks = hooks.get();
  auto result = wanted.run ? wanted.run(run, options) : run_scenario(run.plan, options);
  auto cpu_ms = static_cast<std::int64_t>(std::clock() - begin) * 1'000 / CLOCKS_PER_SEC;
  write_all(descriptor, to_json(report_of(run.plan, result, cpu_ms)));
  ::_exit(0);
}

child start(planned_run run, const campaign_options& options) {
  child made;
  made.run = std::move(run);
  made.ends_at = clock::now() + std::chrono::milliseconds{options.time_max_ms};
  int ends[2];
  if (::pipe(ends) != 0) {
    made.is_over = true;
    return made;
  }
  made.pid = ::fork();
  if (made.pid == 0) {
    ::close(ends[0]);
    run_in_child(made.run, options, ends[1]);
  }
  ::close(ends[1]);
  made.descriptor = ends[0];
  return made;
}

/// Reads what there is; false at the end.
bool read_some(child& from) {
  char buffer[16'384];
  auto count = ::read(from.descriptor, buffer, sizeof(buffer));
  if (count > 0)
    from.text.append(buffer, static_cast<std::size_t>(count));
  return count > 0 || (count < 0 && errno == EINTR);
}

seed_report finish(child& ended) {
  int status = 0;
  if (ended.descriptor >= 0)
    ::close(ended.descriptor);
  if (ended.pid > 0)
    ::waitpid(ended.pid, &status, 0);
  auto report = report_from_json(ended.text);
  report.seed = ended.run.plan.seed;
  if (WIFSIGNALED(status) && !report.violations.empty())
    report.violations.back().detail += ", by signal " + std::to_string(WTERMSIG(status));
  return report;
}

/// Waits until some child has something to say, or has run for too long.
void wait_for(std::list<child>& running) {
  std::vector<pollfd> watched;
  std::vector<child*> asked;
  for (auto& one : running)
    if (!one.is_over) {
      watched.push_back({one.descriptor, POLLIN, 0});
      asked.push_back(&one);
    }
  ::poll(watched.data(), watched.size(), 1'000);
  auto now = clock::now();
  for (std::size_t index = 0; index < asked.size(); ++index) {
    auto& one = *asked[index];
    if (watched[index].revents != 0)
      one.is_over = !read_some(one);
    else if (now > one.ends_at)
      ::kill(one.pid, SIGKILL);
  }
}

}  // namespace

planned_run run_of_seed(std::uint64_t seed, const generator_limits& limits) {
  return {generate_scenario(seed, limits), generate_quality(seed)};
}

void run_campaign(const std::function<std::optional<planned_run>()>& next,
                  const campaign_options& options,
                  const std::function<bool(const planned_run&, const seed_report&)>& done) {
  std::list<child> running;
  auto is_going_on = true;
  auto is_over = [](const child& one) { return one.is_over; };
  for (;;) {
    auto at_work = static_cast<std::uint32_t>(
      std::count_if(running.begin(), running.end(), std::not_fn(is_over)));
    for (; is_going_on && at_work < std::max(1u, options.parallel); ++at_work) {
      auto wish = next();
      if (!wish) {
        is_going_on = false;
        break;
      }
      running.push_back(start(std::move(*wish), options));
    }
    if (running.empty())
      return;
    if (!is_over(running.front()))
      wait_for(running);
    // Reported in the order of their start, whoever is done first.
    while (!running.empty() && is_over(running.front())) {
      auto report = finish(running.front());
      auto run = std::move(running.front().run);
      running.pop_front();
      if (!done(run, report))
        is_going_on = false;
    }
  }
}

seed_report run_apart(const planned_run& run, const campaign_options& options) {
  seed_report result;
  auto is_given = false;
  run_campaign(
    [&]() -> std::optional<planned_run> {
      if (std::exchange(is_given, true))
        return std::nullopt;
      return run;
    },
    options,
    [&](const planned_run&, const seed_report& report) {
      result = report;
      return true;
    });
  return result;
}

}  // namespace dim::simulation
