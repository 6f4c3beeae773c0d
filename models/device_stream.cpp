#include "models/device_stream.hpp"

#include <torch/types.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace dim::models {

device_stream::device_stream(c10::Device device) : device_(device) {
  if (device.is_cuda())
    stream_ = c10::impl::VirtualGuardImpl{device.type()}.getStreamFromGlobalPool(device);
}

torch::Tensor device_stream::to_device(const torch::Tensor& host) const {
  if (!stream_)
    return host;
  const torch::Tensor locked = torch::empty(host.sizes(), host.options().pinned_memory(true));
  locked.copy_(host);
  return locked.to(device_, true);
}

torch::Tensor device_stream::to_host(const torch::Tensor& result) const {
  if (!stream_ || !result.is_cuda())
    return result;
  const auto options = result.options().device(torch::kCPU).pinned_memory(true);
  const torch::Tensor locked = torch::empty(result.sizes(), options);
  locked.copy_(result, true);
  return locked;
}

void device_stream::wait() const {
  if (stream_)
    stream_->synchronize();
}

}  // namespace dim::models
