#include "models/device_stream.hpp"

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/types.h>

namespace dim::models {

struct device_stream::state {
  c10::Device device;
  c10::Stream stream;
};

struct device_stream::turn::guard {
  explicit guard(const c10::Stream& stream) : held(stream) {
  }
  c10::StreamGuard held;
};

device_stream::device_stream(const device_name& device) {
  if (device.kind != device_kind::cuda)
    return;
  const c10::Device place(c10::kCUDA, static_cast<c10::DeviceIndex>(device.first));
  const c10::impl::VirtualGuardImpl devices{c10::kCUDA};
  state_ = std::make_unique<state>(state{place, devices.getStreamFromGlobalPool(place)});
}

device_stream::device_stream(device_stream&&) noexcept = default;
device_stream& device_stream::operator=(device_stream&&) noexcept = default;
device_stream::~device_stream() = default;

device_stream::turn::turn(const device_stream& stream) {
  if (stream.state_)
    guard_ = std::make_unique<guard>(stream.state_->stream);
}

device_stream::turn::~turn() = default;

torch::Tensor device_stream::to_device(const torch::Tensor& host) const {
  if (!state_)
    return host;
  const torch::Tensor locked = torch::empty(host.sizes(), host.options().pinned_memory(true));
  locked.copy_(host);
  return locked.to(state_->device, true);
}

torch::Tensor device_stream::to_host(const torch::Tensor& result) const {
  if (!state_ || !result.is_cuda())
    return result;
  const auto options = result.options().device(torch::kCPU).pinned_memory(true);
  const torch::Tensor locked = torch::empty(result.sizes(), options);
  locked.copy_(result, true);
  return locked;
}

void device_stream::wait() const {
  if (state_)
    state_->stream.synchronize();
}

}  // namespace dim::models
