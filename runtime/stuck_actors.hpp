#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

/// Which actors hang, judged by what the process's table knows of them: no actor is asked. Nothing
/// here reads a clock, and all times are nanoseconds of the actor clock.
namespace dim::runtime {

/// An actor in the middle of a message.
struct working_actor {
  std::uint64_t id = 0;
  std::string name;
  /// The type of the message, as `actor_table` has it.
  std::uintptr_t message = 0;
  std::int64_t since_ns = 0;
  /// Messages in the mailbox, this one included.
  std::int64_t mailbox = 0;
  /// Its messages take long by design.
  bool works_long = false;

  bool operator==(const working_actor&) const = default;
};

/// Those that have been at one message for `limit_ns` or longer and are not made for that. With a
/// limit of 0 nobody is stuck.
std::vector<working_actor> find_stuck(std::vector<working_actor> working, std::int64_t limit_ns,
                                      std::int64_t now_ns);

/// What is new about stuck actors since the look before.
struct stuck_changes {
  /// These are stuck now.
  std::vector<working_actor> begun;
  /// These are not any more: they have ended the message, or have ended themselves.
  std::vector<working_actor> ended;
};

/// Remembers who was stuck, so that each is told of once when it begins and once when it is over.
class stuck_history {
public:
  /// Takes down who is stuck now. One that is stuck again, in another message, has ended and begun.
  stuck_changes note(const std::vector<working_actor>& stuck);

private:
  /// By actor and by the beginning of the message.
  std::map<std::pair<std::uint64_t, std::int64_t>, working_actor> known_;
};

}  // namespace dim::runtime
