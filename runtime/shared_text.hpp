#pragma once

#include <memory>
#include <string>
#include <utility>

namespace dim::runtime {

/// A text that many hold and nobody changes: copies share its bytes. It reads like a string.
class shared_text {
public:
  shared_text() = default;
  shared_text(std::string text) {
    if (!text.empty())
      held_ = std::make_shared<const std::string>(std::move(text));
  }
  shared_text(const char* text) : shared_text(std::string{text}) {
  }

  const std::string& str() const noexcept {
    static const std::string none;
    return held_ ? *held_ : none;
  }
  operator const std::string&() const noexcept {
    return str();
  }
  bool empty() const noexcept {
    return !held_;
  }

  friend bool operator==(const shared_text& one, const shared_text& other) noexcept {
    return one.held_ == other.held_ || one.str() == other.str();
  }
  friend bool operator==(const shared_text& one, const std::string& other) noexcept {
    return one.str() == other;
  }
  friend bool operator==(const shared_text& one, const char* other) noexcept {
    return one.str() == other;
  }

private:
  std::shared_ptr<const std::string> held_;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, shared_text& x) {
  if constexpr (Inspector::writes_state) {
    std::string text;
    auto&& result = f(text);
    x = shared_text{std::move(text)};
    return static_cast<typename Inspector::result_type>(result);
  } else {
    return f(const_cast<std::string&>(x.str()));
  }
}

}  // namespace dim::runtime
