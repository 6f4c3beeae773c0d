// A driver and its management library in one, for two GPUs, whose numbers in CUDA and in the
// management library are crossed. Built as a shared library that the tests open.
#include <cstdio>
#include <cstring>

namespace {

/// One of the two GPUs; its address is the handle.
struct fake_gpu {
  const char* bus_id;
  const char* uuid;
  unsigned long long memory_used;
};

fake_gpu gpus[] = {{"0000:02:00.0", "GPU-first", 1'000}, {"0000:01:00.0", "GPU-second", 2'000}};

constexpr int failure = 999;

}  // namespace

extern "C" {

int cuInit(unsigned) {
  return 0;
}

int cuDeviceGet(int* device, int index) {
  *device = index;
  return index >= 0 && index < 2 ? 0 : failure;
}

int cuDeviceGetPCIBusId(char* text, int size, int device) {
  std::snprintf(text, static_cast<std::size_t>(size), "%s", gpus[device].bus_id);
  return 0;
}

int nvmlInit_v2() {
  return 0;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, void** handle) {
  for (auto& each : gpus)
    if (std::strcmp(each.bus_id, bus_id) == 0) {
      *handle = &each;
      return 0;
    }
  return failure;
}

int nvmlDeviceGetMemoryInfo(void* handle, unsigned long long* total_free_used) {
  total_free_used[0] = 80'000;
  total_free_used[2] = static_cast<fake_gpu*>(handle)->memory_used;
  return 0;
}

int nvmlDeviceGetUUID(void* handle, char* text, unsigned size) {
  std::snprintf(text, size, "%s", static_cast<fake_gpu*>(handle)->uuid);
  return 0;
}

int nvmlDeviceGetUtilizationRates(void*, unsigned* gpu_memory) {
  gpu_memory[0] = 42;
  return 0;
}

int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
  *milliwatts = 310'500;
  return 0;
}

int nvmlDeviceGetEnforcedPowerLimit(void*, unsigned* milliwatts) {
  *milliwatts = 700'000;
  return 0;
}

// As a GPU that does not count its energy.
int nvmlDeviceGetTotalEnergyConsumption(void*, unsigned long long*) {
  return failure;
}
}
