#pragma once

#include <optional>

#include <c10/core/Device.h>
#include <c10/core/Stream.h>

namespace at {
class Tensor;
}  // namespace at

/// Part of `dim::models_torch`; included by its sources only.
namespace dim::models {

/// A stream of a CUDA device of one's own, so that several models on a device do not wait for each
/// other, with copies to and from it that do not block: they go through page-locked memory. On the
/// CPU there is no stream, and nothing is copied. Written against LibTorch's general interface, so
/// that it is compiled alike with and without CUDA.
class device_stream {
public:
  explicit device_stream(c10::Device device);

  /// What the current thread's work goes to; none on the CPU.
  const std::optional<c10::Stream>& stream() const noexcept {
    return stream_;
  }

  /// Copies a tensor in ordinary memory to the device; on the CPU, gives it back. The copy is
  /// ordered before whatever the stream does next.
  at::Tensor to_device(const at::Tensor& host) const;

  /// Begins to copy a result into page-locked memory; it is there after `wait`. On the CPU, gives
  /// it back.
  at::Tensor to_host(const at::Tensor& result) const;

  /// Returns when everything that was given to the stream is done.
  void wait() const;

private:
  c10::Device device_;
  std::optional<c10::Stream> stream_;
};

}  // namespace dim::models
