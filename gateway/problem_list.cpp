#include "gateway/problem_list.hpp"

namespace dim::gateway {

std::string json_path::text() const {
  if (parent_ == nullptr)
    return "body";
  auto is_top = parent_->parent_ == nullptr;
  auto result = is_top ? std::string{} : parent_->text();
  if (name_.data() == nullptr)
    return result + "[" + std::to_string(index_) + "]";
  return result + (is_top ? "" : ".") + std::string{name_};
}

std::string in_quotes(std::string_view text) {
  return '"' + std::string{text} + '"';
}

void problem_list::add(const json_path& path, std::string_view what) {
  ++count_;
  if (listed_.size() < listed_max_)
    listed_.push_back(path.text() + ": " + std::string{what});
}

void problem_list::add_mismatch(const json_path& path, std::string_view expected,
                                std::string_view got) {
  ++count_;
  if (listed_.size() >= listed_max_)
    return;
  listed_.push_back(path.text() + ": expected " + std::string{expected} + ", got "
                    + std::string{got});
}

std::vector<std::string> problem_list::take() {
  if (count_ > listed_.size())
    listed_.push_back("and " + std::to_string(count_ - listed_.size()) + " more");
  count_ = 0;
  return std::move(listed_);
}

}  // namespace dim::gateway
