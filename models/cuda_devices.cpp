#include "models/cuda_devices.hpp"

#include <array>
#include <cstddef>
#include <string>

#include <dlfcn.h>

#include <torch/cuda.h>

namespace dim::models {

namespace {

/// The few calls of the CUDA driver that describe a device. LibTorch's own ways to these facts
/// exist only in builds with CUDA, and this source is compiled against any.
class cuda_driver {
public:
  cuda_driver() : library_(::dlopen("libcuda.so.1", RTLD_NOW)) {
    load(start_, "cuInit");
    load(name_of_, "cuDeviceGetName");
    load(memory_of_, "cuDeviceTotalMem_v2");
    load(attribute_of_, "cuDeviceGetAttribute");
    is_usable_ = start_ != nullptr && name_of_ != nullptr && memory_of_ != nullptr
                 && attribute_of_ != nullptr && start_(0) == success;
  }

  void describe(device_info& info) const {
    if (!is_usable_)
      return;
    const int device = static_cast<int>(info.name.first);
    std::array<char, 256> name{};
    if (name_of_(name.data(), static_cast<int>(name.size()), device) == success)
      info.model = name.data();
    std::size_t bytes = 0;
    if (memory_of_(&bytes, device) == success)
      info.memory_bytes = bytes;
    int processors = 0;
    if (attribute_of_(&processors, multiprocessor_count, device) == success)
      info.cores = static_cast<std::uint32_t>(processors);
  }

private:
  static constexpr int success = 0;
  /// CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT in the driver's interface.
  static constexpr int multiprocessor_count = 16;

  template <class Function>
  void load(Function& function, const char* symbol) {
    if (library_ != nullptr)
      function = reinterpret_cast<Function>(::dlsym(library_, symbol));
  }

  void* library_;
  int (*start_)(unsigned) = nullptr;
  int (*name_of_)(char*, int, int) = nullptr;
  int (*memory_of_)(std::size_t*, int) = nullptr;
  int (*attribute_of_)(int*, int, int) = nullptr;
  bool is_usable_ = false;
};

}  // namespace

std::vector<device_info> discover_cuda() {
  std::vector<device_info> devices;
  const std::size_t count = torch::cuda::is_available() ? torch::cuda::device_count() : 0;
  if (count == 0)
    return devices;
  const cuda_driver driver;
  for (std::uint32_t index = 0; index < count; ++index) {
    device_info info{{device_kind::cuda, index, index}, "CUDA device", 0, 0};
    driver.describe(info);
    devices.push_back(std::move(info));
  }
  return devices;
}

}  // namespace dim::models
