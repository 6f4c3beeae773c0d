#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace dim::runtime {

/// The handshakes of one listener that have not ended. Whoever reaches the port can begin one, so
/// they are bounded in number and in time: the one that is late, or the oldest of too many, loses
/// its connection. Thread-safe.
class handshakes : public std::enable_shared_from_this<handshakes> {
public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::uint64_t reports_max = 10;

  /// One handshake; its end is the ticket's. Must end before its socket is closed.
  class ticket {
  public:
    ticket() = default;
    ticket(std::shared_ptr<handshakes> home, std::uint64_t number);
    ticket(ticket&& other) noexcept;
    ticket& operator=(ticket&& other) noexcept;
    ~ticket();

    void end();

    /// Whether it was late, or the oldest of too many.
    bool is_cut_off() const;

    /// Asks whether its failure may stand in the log, which strangers must not fill: at most
    /// `reports_max` a second may. How many were left out since the last one that did; nothing:
    /// neither may this one.
    std::optional<std::uint64_t> may_report(time_point now) const;

  private:
    std::shared_ptr<handshakes> home_;
    std::uint64_t number_ = 0;
  };

  handshakes(std::size_t count_max, std::uint32_t timeout_ms);

  /// Makes room for one more, and counts it.
  ticket begin(int socket, time_point now);

  /// Cuts off those that are late.
  void expire(time_point now);

  std::size_t count() const;
  /// Those cut off so far.
  std::uint64_t cut_off() const;

private:
  struct entry {
    int socket = -1;
    time_point since;
    bool is_cut_off = false;
  };

  void expire_locked(time_point now);
  void cut(entry& which);
  void leave(std::uint64_t number);
  bool is_cut_off(std::uint64_t number) const;
  std::optional<std::uint64_t> may_report(time_point now);

  const std::size_t count_max_;
  const std::chrono::milliseconds timeout_;
  mutable std::mutex mutex_;
  std::uint64_t next_ = 1;
  std::uint64_t cut_off_ = 0;
  /// The second that `reports_` counts, by its beginning.
  std::optional<time_point> second_;
  std::uint64_t reports_ = 0;
  std::uint64_t left_out_ = 0;
  /// By number, and so by age.
  std::map<std::uint64_t, entry> open_;
};

}  // namespace dim::runtime
