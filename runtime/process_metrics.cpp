#include "runtime/process_metrics.hpp"

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>

#include <sys/resource.h>
#include <unistd.h>

#include <caf/all.hpp>

#include "runtime/metrics.hpp"
#include "runtime/stuck_watch.hpp"
#include "runtime/system.hpp"

namespace dim::runtime {

namespace {

struct actors_of_name {
  std::uint64_t count = 0;
  std::uint64_t stuck = 0;
  std::int64_t waiting = 0;
  std::int64_t peak = 0;
};

double resident_bytes() {
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  std::ifstream{"/proc/self/statm"} >> all >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double open_files() {
  std::error_code problem;
  std::filesystem::directory_iterator files{"/proc/self/fd", problem};
  // The folder itself is open while it is read.
  return problem ? 0 : static_cast<double>(std::distance(begin(files), end(files)) - 1);
}

void add_actors(metric_page& page, const std::string& process, caf::actor_system& system) {
  std::map<std::string, actors_of_name> by_name;
  for (auto& line : context_of(system).actors.lines()) {
    auto& sum = by_name[line.name];
    ++sum.count;
    // A message that is counted in one thread and out in another may be seen in the wrong order.
    sum.waiting += std::max<std::int64_t>(line.mailbox, 0);
    sum.peak = std::max(sum.peak, line.mailbox_peak);
  }
  for (auto& each : stuck_now(system))
    ++by_name[each.name].stuck;
  for (auto& [name, sum] : by_name) {
    page.add(metric::actors, {process, name}, static_cast<double>(sum.count));
    page.add(metric::actors_stuck, {process, name}, static_cast<double>(sum.stuck));
    page.add(metric::actor_mailbox, {process, name}, static_cast<double>(sum.waiting));
    page.add(metric::actor_mailbox_peak, {process, name}, static_cast<double>(sum.peak));
  }
}

}  // namespace

std::shared_ptr<void> show_process(const std::string& name, caf::actor_system& system) {
  auto started = static_cast<double>(std::time(nullptr));
  return add_metric_source([name, started, &system](metric_page& page) {
    page.add(metric::process_memory, {name}, resident_bytes());
    page.add(metric::process_cpu_time, {name}, processor_seconds());
    page.add(metric::process_open_files, {name}, open_files());
    page.add(metric::process_started, {name}, started);
    add_actors(page, name, system);
  });
}

}  // namespace dim::runtime
