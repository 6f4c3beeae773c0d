#pragma once

#include <memory>

#include "models/device.hpp"

namespace at {
class Tensor;
}  // namespace at

/// Part of `dim::models_torch`; LibTorch itself is seen only by the sources.
namespace dim::models {

/// A stream of a CUDA device of one's own, so that several models on a device do not wait for each
/// other, with copies to and from it that do not block: they go through page-locked memory. On the
/// CPU there is no stream, and nothing is copied. Written against LibTorch's general interface, so
/// that it is compiled alike with and without CUDA.
class device_stream {
public:
  explicit device_stream(const device_name& device);
  device_stream(device_stream&&) noexcept;
  device_stream& operator=(device_stream&&) noexcept;
  ~device_stream();

  /// While it lives, what this thread gives to the device goes to the stream.
  class turn {
  public:
    explicit turn(const device_stream& stream);
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    ~turn();

  private:
    struct guard;
    std::unique_ptr<guard> guard_;
  };

  /// Copies a tensor in ordinary memory to the device; on the CPU, gives it back. The copy is
  /// ordered before whatever the stream does next.
  at::Tensor to_device(const at::Tensor& host) const;

  /// Begins to copy a result into page-locked memory; it is there after `wait`. On the CPU, gives
  /// it back.
  at::Tensor to_host(const at::Tensor& result) const;

  /// Returns when everything that was given to the stream is done.
  void wait() const;

private:
  struct state;
  /// None on the CPU.
  std::unique_ptr<state> state_;
};

}  // namespace dim::models
