#include "models/device.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include <sched.h>
#include <unistd.h>

namespace dim::models {

namespace {

using runtime::error_code;

/// A whole number, and nothing behind it.
template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty())
    return std::nullopt;
  return value;
}

std::optional<device_name> core_set_of(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = number_of<std::uint32_t>(text.substr(0, dash));
  const auto last =
    dash == std::string_view::npos ? first : number_of<std::uint32_t>(text.substr(dash + 1));
  if (!first || !last || *last < *first || *last >= CPU_SETSIZE)
    return std::nullopt;
  return device_name{device_kind::cpu, *first, *last};
}

/// The processor's name from /proc/cpuinfo, or "cpu" where the system does not tell.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos)
      return line.substr(colon + 2);
  }
  return "cpu";
}

/// Finds what is wrong with one configured device, given those before it; empty when nothing is.
std::string problem_of(const device_name& device, const std::vector<device_info>& cuda,
                       const std::vector<std::uint32_t>& usable,
                       const std::vector<device_info>& chosen) {
  if (device.kind == device_kind::cuda) {
    if (std::none_of(cuda.begin(), cuda.end(),
                     [&](const device_info& each) { return each.name == device; }))
      return "this machine has no such CUDA device; it has " + std::to_string(cuda.size());
  }
  for (const std::uint32_t core : device.cores())
    if (!std::binary_search(usable.begin(), usable.end(), core))
      return "this process may not run on core " + std::to_string(core);
  for (const device_info& other : chosen)
    if (other.name.kind == device.kind && other.name.first <= device.last
        && device.first <= other.name.last)
      return "overlaps with " + to_string(other.name);
  return {};
}

}  // namespace

std::string_view to_string(device_kind kind) noexcept {
  return kind == device_kind::cuda ? "cuda" : "cpu";
}

std::vector<std::uint32_t> device_name::cores() const {
  std::vector<std::uint32_t> result;
  if (kind == device_kind::cpu)
    for (std::uint32_t core = first; core <= last; ++core)
      result.push_back(core);
  return result;
}

runtime::expected<device_name> parse_device(std::string_view text) {
  std::optional<device_name> device;
  if (text.starts_with("cpu:")) {
    device = core_set_of(text.substr(4));
  } else if (text.starts_with("cuda:")) {
    if (const auto index = number_of<std::uint32_t>(text.substr(5)); index && *index < 128)
      device = device_name{device_kind::cuda, *index, *index};
  }
  if (!device)
    return runtime::fail(error_code::bad_input,
                         "\"" + std::string{text}
                           + "\" is no device; expected one like cpu:0, cpu:0-3 or cuda:0");
  return *device;
}

std::string to_string(const device_name& device) {
  std::string text = std::string{to_string(device.kind)} + ":" + std::to_string(device.first);
  if (device.last != device.first)
    text += "-" + std::to_string(device.last);
  return text;
}

std::vector<std::uint32_t> available_cores() {
  std::vector<std::uint32_t> cores;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) != 0)
    return {0};
  for (std::uint32_t core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set))
      cores.push_back(core);
  return cores;
}

std::uint64_t machine_memory_bytes() {
  std::uint64_t bytes = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES))
                        * static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE));
  for (const char* path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(path);
    std::uint64_t limit = 0;
    if (file >> limit)
      bytes = std::min(bytes, limit);
  }
  return bytes;
}

device_info describe_core_set(const device_name& cores) {
  return {cores, processor_name(), cores.last - cores.first + 1, machine_memory_bytes()};
}

runtime::expected<std::vector<device_info>> choose_devices(
  const std::vector<std::string>& configured, const std::vector<device_info>& cuda) {
  const std::vector<std::uint32_t> usable = available_cores();
  std::vector<device_info> chosen;
  if (configured.empty()) {
    if (!cuda.empty())
      return cuda;
    for (const std::uint32_t core : usable)
      chosen.push_back(describe_core_set({device_kind::cpu, core, core}));
    return chosen;
  }
  std::vector<std::string> problems;
  for (const std::string& text : configured) {
    const auto device = parse_device(text);
    const std::string problem =
      device ? problem_of(*device, cuda, usable, chosen) : device.error().message;
    if (!problem.empty()) {
      problems.push_back(device ? text + ": " + problem : problem);
      continue;
    }
    const auto found = std::find_if(cuda.begin(), cuda.end(), [&](const device_info& each) {
      return each.name == *device;
    });
    chosen.push_back(found != cuda.end() ? *found : describe_core_set(*device));
  }
  if (!problems.empty())
    return runtime::fail(error_code::bad_input, "the configured devices can not be used",
                         std::move(problems));
  return chosen;
}

std::string to_text(const std::vector<device_info>& devices) {
  std::string text;
  for (const device_info& each : devices) {
    std::string model = each.model;
    std::replace_if(
      model.begin(), model.end(), [](char c) { return c == '\t' || c == '\n'; }, ' ');
    text += to_string(each.name) + "\t" + std::to_string(each.cores) + "\t"
            + std::to_string(each.memory_bytes) + "\t" + model + "\n";
  }
  return text;
}

runtime::expected<std::vector<device_info>> devices_from_text(std::string_view text) {
  std::vector<device_info> devices;
  std::istringstream lines{std::string{text}};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string name;
    std::string cores;
    std::string memory;
    device_info info;
    std::getline(fields, name, '\t');
    std::getline(fields, cores, '\t');
    std::getline(fields, memory, '\t');
    std::getline(fields, info.model);
    const auto device = parse_device(name);
    const auto core_count = number_of<std::uint32_t>(cores);
    const auto memory_bytes = number_of<std::uint64_t>(memory);
    if (!device || !core_count || !memory_bytes)
      return runtime::fail(error_code::bad_input,
                           "line " + std::to_string(devices.size() + 1) + " describes no device");
    info.name = *device;
    info.cores = *core_count;
    info.memory_bytes = *memory_bytes;
    devices.push_back(std::move(info));
  }
  return devices;
}

}  // namespace dim::models
