#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/errors.hpp"

/// Devices by name, and core sets. Finding CUDA devices needs LibTorch: see `cuda_devices.hpp`.
namespace dim::models {

enum class device_kind : std::uint8_t { cpu, cuda };

/// "cpu" or "cuda".
std::string_view to_string(device_kind kind) noexcept;

/// A device as it is named in configuration and messages: "cpu:3", "cpu:0-1" (a set of cores) or
/// "cuda:0".
struct device_name {
  device_kind kind = device_kind::cpu;
  /// The first core, or the number of the CUDA device.
  std::uint32_t first = 0;
  /// The last core of the set; equal to `first` for CUDA.
  std::uint32_t last = 0;

  /// The cores of a core set, ascending; none for CUDA.
  std::vector<std::uint32_t> cores() const;
  bool operator==(const device_name&) const = default;
};

/// Reads a device's name. Errors: bad_input (with the accepted forms).
runtime::expected<device_name> parse_device(std::string_view text);

/// The name that `parse_device` reads back equal.
std::string to_string(const device_name& device);

/// What a node offers of one device.
struct device_info {
  device_name name;
  /// The processor's or GPU's name as the system tells it.
  std::string model;
  /// Cores of a core set, or multiprocessors of a GPU.
  std::uint32_t cores = 0;
  /// The GPU's memory, or the machine's for a core set, in bytes.
  std::uint64_t memory_bytes = 0;

  bool operator==(const device_info&) const = default;
};

/// The cores that this process may run on, ascending.
std::vector<std::uint32_t> available_cores();

/// The machine's memory, in bytes, or the limit that the process's control group sets if lower.
std::uint64_t machine_memory_bytes();

/// The description of one core set of this machine.
device_info describe_core_set(const device_name& cores);

/// The devices that a node offers: those `configured` by name, or, where none is, every CUDA device
/// of `cuda`, or else one core set for each available core. Errors: bad_input, naming every
/// configured device that can not be used (unknown CUDA device, a core that this process may not
/// use, a core or device named twice, a name that can not be read).
runtime::expected<std::vector<device_info>> choose_devices(
  const std::vector<std::string>& configured, const std::vector<device_info>& cuda);

/// The devices as text, one a line (name, cores, memory in bytes, model; separated by tabs). This
/// is what `dim-agent --describe-devices` prints, so that a daemon without LibTorch can learn of
/// GPUs.
std::string to_text(const std::vector<device_info>& devices);

/// Reads `to_text` back. Errors: bad_input (names the line).
runtime::expected<std::vector<device_info>> devices_from_text(std::string_view text);

}  // namespace dim::models
