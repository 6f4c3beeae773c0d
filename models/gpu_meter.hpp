#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dim::models {

/// What the driver says of one GPU at this moment. What it does not say is 0.
struct gpu_reading {
  /// Of the GPU itself: the same whatever number it has here.
  std::string uuid;
  std::uint64_t memory_bytes = 0;
  /// By all processes.
  std::uint64_t memory_used_bytes = 0;
  /// Of the driver's last sample period.
  std::uint32_t busy_percent = 0;
  std::uint64_t power_mw = 0;
  std::uint64_t power_limit_mw = 0;
  /// Since the driver was loaded.
  std::uint64_t energy_mj = 0;
};

/// Reads NVIDIA GPUs through the driver's management library (NVML), which is looked for when the
/// program runs: LibTorch has no way to a device's memory that all its builds know, and a machine
/// without a GPU has no such library. Makes no CUDA context. For one thread.
class gpu_meter {
public:
  /// Another `driver` and `management` library are for tests.
  explicit gpu_meter(const std::string& driver = "libcuda.so.1",
                     const std::string& management = "libnvidia-ml.so.1");
  ~gpu_meter();
  gpu_meter(const gpu_meter&) = delete;
  gpu_meter& operator=(const gpu_meter&) = delete;

  /// Of the CUDA device with this number, which need not be the number that the management library
  /// gives it; nothing where the libraries are missing or do not know it.
  std::optional<gpu_reading> read(std::uint32_t cuda_index);

private:
  struct libraries;
  std::unique_ptr<libraries> libraries_;
};

/// Reads GPUs again and again on a thread of its own, for a driver takes its time, and a broken one
/// may never answer: whoever wants to know gets what was read last. Thread-safe.
class gpu_watch {
public:
  /// `pause`: between two readings of the CUDA devices `indices`.
  gpu_watch(std::vector<std::uint32_t> indices, std::chrono::milliseconds pause,
            const std::string& driver = "libcuda.so.1",
            const std::string& management = "libnvidia-ml.so.1");
  /// Does not wait for a reading that is under way.
  ~gpu_watch();
  gpu_watch(const gpu_watch&) = delete;
  gpu_watch& operator=(const gpu_watch&) = delete;

  /// By the number of the CUDA device; without those of which nothing is known.
  std::map<std::uint32_t, gpu_reading> latest() const;

private:
  struct shared_state;
  std::shared_ptr<shared_state> state_;
};

}  // namespace dim::models
