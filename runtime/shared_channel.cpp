#include "runtime/shared_channel.hpp"

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dim::runtime {

namespace {

constexpr std::size_t ring_memory = shared_ring::memory_for(shared_channel::capacity);
constexpr std::size_t channel_memory = 2 * ring_memory;
static_assert(ring_memory % 64 == 0);

tl::unexpected<failure> no_channel(const char* what, int problem) {
  return fail(error_code::unavailable, std::string{"no channel in shared memory: "} + what + ": "
                                         + std::generic_category().message(problem));
}

void ring(const descriptor& bell) noexcept {
  const std::uint64_t one = 1;
  // It fails only when the bell has rung 2^64 - 2 times without being heard.
  while (::write(bell.number(), &one, sizeof(one)) < 0 && errno == EINTR) {
  }
}

}  // namespace

expected<std::shared_ptr<shared_channel>> shared_channel::make() {
  channel_descriptors held;
  held.memory = descriptor{::memfd_create("dim-channel", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (held.memory.number() < 0)
    return no_channel("memfd_create", errno);
  if (::ftruncate(held.memory.number(), static_cast<off_t>(channel_memory)) != 0)
    return no_channel("ftruncate", errno);
  // A guest that made it shorter would end this process at its next touch.
  if (::fcntl(held.memory.number(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return no_channel("F_ADD_SEALS", errno);
  held.maker_bell = descriptor{::eventfd(0, EFD_CLOEXEC)};
  held.guest_bell = descriptor{::eventfd(0, EFD_CLOEXEC)};
  if (held.maker_bell.number() < 0 || held.guest_bell.number() < 0)
    return no_channel("eventfd", errno);
  return map(std::move(held), true);
}

expected<std::shared_ptr<shared_channel>> shared_channel::join(channel_descriptors given) {
  struct stat facts {};
  if (::fstat(given.memory.number(), &facts) != 0)
    return no_channel("fstat", errno);
  if (facts.st_size != static_cast<off_t>(channel_memory))
    return no_channel("its memory has another size", EINVAL);
  return map(std::move(given), false);
}

expected<std::shared_ptr<shared_channel>> shared_channel::map(channel_descriptors held,
                                                              bool is_maker) {
  auto* memory = ::mmap(nullptr, channel_memory, PROT_READ | PROT_WRITE, MAP_SHARED,
                        held.memory.number(), 0);
  if (memory == MAP_FAILED)
    return no_channel("mmap", errno);
  return std::shared_ptr<shared_channel>{
    new shared_channel{std::move(held), static_cast<char*>(memory), is_maker}};
}

shared_channel::shared_channel(channel_descriptors held, char* memory, bool is_maker) noexcept
  : descriptors_(std::move(held)),
    memory_(memory),
    is_maker_(is_maker),
    to_guest_(memory, capacity),
    to_maker_(memory + ring_memory, capacity) {
}

shared_channel::~shared_channel() {
  ::munmap(memory_, channel_memory);
}

void shared_channel::ring_peer() noexcept {
  ring(is_maker_ ? descriptors_.guest_bell : descriptors_.maker_bell);
}

void shared_channel::ring_self() noexcept {
  ring(is_maker_ ? descriptors_.maker_bell : descriptors_.guest_bell);
}

void shared_channel::wait() noexcept {
  auto& bell = is_maker_ ? descriptors_.maker_bell : descriptors_.guest_bell;
  std::uint64_t rung = 0;
  while (::read(bell.number(), &rung, sizeof(rung)) < 0 && errno == EINTR) {
  }
}

}  // namespace dim::runtime
