#include "models/gpu_meter.hpp"

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <dlfcn.h>

namespace dim::models {

namespace {

constexpr int success = 0;

// As the libraries' public headers (cuda.h, nvml.h) declare them; these are stable by promise.
using device_handle = void*;

struct memory_answer {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};

struct utilization_answer {
  unsigned gpu;
  unsigned memory;
};

/// An opened library; empty where it is missing.
class library {
public:
  explicit library(const std::string& name) : handle_(::dlopen(name.c_str(), RTLD_NOW)) {
  }

  /// False where the library has no such function.
  template <class Function>
  bool find(Function& function, const char* symbol) const {
    if (handle_ != nullptr)
      function = reinterpret_cast<Function>(::dlsym(handle_, symbol));
    return function != nullptr;
  }

private:
  // Never closed: the driver keeps threads of its own.
  void* handle_;
};

}  // namespace

struct gpu_meter::libraries {
  libraries(const std::string& driver_name, const std::string& management_name)
    : driver(driver_name), management(management_name) {
    is_usable = driver.find(start_driver, "cuInit")
                && driver.find(device_at, "cuDeviceGet")
                && driver.find(bus_id_of, "cuDeviceGetPCIBusId")
                && management.find(start_management, "nvmlInit_v2")
                && management.find(handle_by_bus_id, "nvmlDeviceGetHandleByPciBusId_v2")
                && management.find(memory_of, "nvmlDeviceGetMemoryInfo")
                && management.find(uuid_of, "nvmlDeviceGetUUID")
                && management.find(utilization_of, "nvmlDeviceGetUtilizationRates")
                && management.find(power_of, "nvmlDeviceGetPowerUsage")
                && management.find(power_limit_of, "nvmlDeviceGetEnforcedPowerLimit")
                && management.find(energy_of, "nvmlDeviceGetTotalEnergyConsumption")
                && start_driver(0) == success && start_management() == success;
  }

  /// The management library's handle of the CUDA device; null when it knows none.
  device_handle handle_of(std::uint32_t cuda_index) {
    auto [entry, is_new] = handles.emplace(cuda_index, nullptr);
    int device = 0;
    std::array<char, 64> bus_id{};
    if (is_new && device_at(&device, static_cast<int>(cuda_index)) == success
        && bus_id_of(bus_id.data(), static_cast<int>(bus_id.size()), device) == success
        && handle_by_bus_id(bus_id.data(), &entry->second) != success)
      entry->second = nullptr;
    return entry->second;
  }

  library driver;
  library management;
  bool is_usable = false;
  std::map<std::uint32_t, device_handle> handles;

  int (*start_driver)(unsigned) = nullptr;
  int (*device_at)(int*, int) = nullptr;
  int (*bus_id_of)(char*, int, int) = nullptr;
  int (*start_management)() = nullptr;
  int (*handle_by_bus_id)(const char*, device_handle*) = nullptr;
  int (*memory_of)(device_handle, memory_answer*) = nullptr;
  int (*uuid_of)(device_handle, char*, unsigned) = nullptr;
  int (*utilization_of)(device_handle, utilization_answer*) = nullptr;
  int (*power_of)(device_handle, unsigned*) = nullptr;
  int (*power_limit_of)(device_handle, unsigned*) = nullptr;
  int (*energy_of)(device_handle, unsigned long long*) = nullptr;
};

gpu_meter::gpu_meter(const std::string& driver, const std::string& management)
  : libraries_(std::make_unique<libraries>(driver, management)) {
}

gpu_meter::~gpu_meter() = default;

std::optional<gpu_reading> gpu_meter::read(std::uint32_t cuda_index) {
  auto& from = *libraries_;
  auto handle = from.is_usable ? from.handle_of(cuda_index) : nullptr;
  if (handle == nullptr)
    return std::nullopt;
  gpu_reading reading;
  std::array<char, 96> uuid{};
  if (from.uuid_of(handle, uuid.data(), uuid.size()) == success)
    reading.uuid = uuid.data();
  if (memory_answer memory{}; from.memory_of(handle, &memory) == success) {
    reading.memory_bytes = memory.total;
    reading.memory_used_bytes = memory.used;
  }
  if (utilization_answer busy{}; from.utilization_of(handle, &busy) == success)
    reading.busy_percent = busy.gpu;
  if (unsigned power = 0; from.power_of(handle, &power) == success)
    reading.power_mw = power;
  if (unsigned limit = 0; from.power_limit_of(handle, &limit) == success)
    reading.power_limit_mw = limit;
  if (unsigned long long energy = 0; from.energy_of(handle, &energy) == success)
    reading.energy_mj = energy;
  return reading;
}

struct gpu_watch::shared_state {
  std::mutex mutex;
  std::condition_variable ended;
  bool is_ended = false;
  std::map<std::uint32_t, gpu_reading> latest;
};

gpu_watch::gpu_watch(std::vector<std::uint32_t> indices, std::chrono::milliseconds pause,
                     const std::string& driver, const std::string& management)
  : state_(std::make_shared<shared_state>()) {
  // Detached, so that a driver that hangs does not keep the process; all it uses is its own.
  std::thread([state = state_, indices = std::move(indices), pause, driver, management] {
    gpu_meter meter{driver, management};
    std::unique_lock guard{state->mutex};
    while (!state->is_ended) {
      guard.unlock();
      std::map<std::uint32_t, gpu_reading> readings;
      for (const std::uint32_t index : indices)
        if (auto reading = meter.read(index))
          readings.emplace(index, std::move(*reading));
      guard.lock();
      state->latest = std::move(readings);
      state->ended.wait_for(guard, pause, [&] { return state->is_ended; });
    }
  }).detach();
}

gpu_watch::~gpu_watch() {
  const std::lock_guard guard{state_->mutex};
  state_->is_ended = true;
  state_->ended.notify_all();
}

std::map<std::uint32_t, gpu_reading> gpu_watch::latest() const {
  const std::lock_guard guard{state_->mutex};
  return state_->latest;
}

}  // namespace dim::models
