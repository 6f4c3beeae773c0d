#include "models/triton_message.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include "models/triton_config.pb.h"

namespace dim::models {

namespace {

namespace pb = google::protobuf;
using runtime::error_code;

/// Messages and lists in one another.
constexpr int depth_max = 100;
/// Of a tab, as protobuf counts columns.
constexpr int tab_width = 8;

class problem_list : public pb::io::ErrorCollector {
public:
  void AddError(int line, int column, const std::string& words) override {
    problems.push_back("line " + std::to_string(line + 1) + ", column " + std::to_string(column + 1)
                       + ": " + words);
  }

  std::vector<std::string> problems;
};

/// Goes over the fields of a text and puts blanks in the place of those that are unknown, so that
/// all others stay where they are. Protobuf's own way to pass over fields knows neither empty lists
/// nor lists of messages without a colon. A step that can not go on has added a problem and gives
/// false.
class field_walk {
public:
  field_walk(std::string_view text, problem_list& problems, std::vector<std::string>& unknown)
    : text_(text),
      known_(text),
      problems_(problems),
      unknown_(unknown),
      stream_(text.data(), static_cast<int>(text.size())),
      tokens_(&stream_, &problems) {
    // As protobuf's reader of the format has it.
    tokens_.set_allow_f_after_float(true);
    tokens_.set_comment_style(pb::io::Tokenizer::SH_COMMENT_STYLE);
    tokens_.Next();
  }

  bool walk(const pb::Descriptor* message) {
    while (!is_at(token_type::TYPE_END))
      if (!walk_field(message))
        return false;
    return true;
  }

  /// The text with the known fields alone, in their places.
  std::string take_known() && {
    return std::move(known_);
  }

private:
  using token_type = pb::io::Tokenizer::TokenType;

  /// `message` is null inside an unknown field.
  bool walk_field(const pb::Descriptor* message) {
    const std::size_t begin = offset();
    std::string name;
    if (!take_name(name))
      return false;
    const pb::FieldDescriptor* field =
      message == nullptr ? nullptr : message->FindFieldByName(name);
    const bool has_colon = take(":");
    if (!has_colon && !is_at("{") && !is_at("<") && !is_at("["))
      return expected("\":\"");
    if (!walk_value(field == nullptr ? nullptr : field->message_type()))
      return false;
    if (!take(";"))
      take(",");
    if (message != nullptr && field == nullptr)
      drop(begin, name);
    return true;
  }

  bool walk_value(const pb::Descriptor* message) {
    if (depth_ == depth_max)
      return expected("at most " + std::to_string(depth_max)
                      + " messages and lists in one another");
    ++depth_;
    const bool is_whole = take("{")   ? walk_message(message, "}")
                          : take("<") ? walk_message(message, ">")
                          : take("[") ? walk_list(message)
                                      : walk_scalar();
    --depth_;
    return is_whole;
  }

  bool walk_message(const pb::Descriptor* message, const std::string& end) {
    while (!is_at("}") && !is_at(">"))
      if (!walk_field(message))
        return false;
    return take(end) || expected("\"" + end + "\"");
  }

  bool walk_list(const pb::Descriptor* message) {
    if (take("]"))
      return true;
    do {
      if (!walk_value(message))
        return false;
    } while (take(","));
    return take("]") || expected("\",\" or \"]\"");
  }

  bool walk_scalar() {
    if (is_at(token_type::TYPE_STRING)) {
      // Texts that stand one behind the other are one.
      while (is_at(token_type::TYPE_STRING))
        tokens_.Next();
      return true;
    }
    take("-");
    if (!is_at(token_type::TYPE_IDENTIFIER) && !is_at(token_type::TYPE_INTEGER)
        && !is_at(token_type::TYPE_FLOAT))
      return expected("a value");
    tokens_.Next();
    return true;
  }

  bool take_name(std::string& name) {
    if (is_at("["))
      return take_extension(name);
    if (!is_at(token_type::TYPE_IDENTIFIER) && !is_at(token_type::TYPE_INTEGER))
      return expected("the name of a field");
    name = tokens_.current().text;
    tokens_.Next();
    return true;
  }

  /// With its brackets, so that it is no field's name.
  bool take_extension(std::string& name) {
    for (; !is_at("]"); tokens_.Next()) {
      if (is_at(token_type::TYPE_END))
        return expected("\"]\"");
      name += tokens_.current().text;
    }
    name += "]";
    return take("]");
  }

  bool is_at(token_type type) {
    return tokens_.current().type == type;
  }

  bool is_at(std::string_view symbol) {
    return is_at(token_type::TYPE_SYMBOL) && tokens_.current().text == symbol;
  }

  bool take(std::string_view symbol) {
    if (!is_at(symbol))
      return false;
    tokens_.Next();
    return true;
  }

  bool expected(const std::string& words) {
    const auto& token = tokens_.current();
    const std::string got = is_at(token_type::TYPE_END)      ? "the end"
                            : is_at(token_type::TYPE_STRING) ? token.text
                                                             : "\"" + token.text + "\"";
    problems_.AddError(token.line, token.column, "expected " + words + ", got " + got);
    return false;
  }

  /// Where the current token begins; asked in the order of the text.
  std::size_t offset() {
    const auto& token = tokens_.current();
    for (; offset_ < text_.size() && (line_ != token.line || column_ != token.column); ++offset_) {
      if (text_[offset_] == '\n') {
        ++line_;
        column_ = 0;
      } else {
        column_ += text_[offset_] == '\t' ? tab_width - column_ % tab_width : 1;
      }
    }
    return offset_;
  }

  void drop(std::size_t begin, const std::string& name) {
    const auto first = known_.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = known_.begin() + static_cast<std::ptrdiff_t>(offset());
    std::replace_if(
      first, last, [](unsigned char c) { return std::isspace(c) == 0; }, ' ');
    if (std::find(unknown_.begin(), unknown_.end(), name) == unknown_.end())
      unknown_.push_back(name);
  }

  std::string_view text_;
  std::string known_;
  problem_list& problems_;
  std::vector<std::string>& unknown_;
  pb::io::ArrayInputStream stream_;
  pb::io::Tokenizer tokens_;
  int depth_ = 0;
  std::size_t offset_ = 0;
  int line_ = 0;
  int column_ = 0;
};

runtime::expected<void> read_json(const std::string& json, pb::Message& message) {
  pb::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  if (const auto status = pb::util::JsonStringToMessage(json, &message, options); !status.ok())
    return runtime::fail(error_code::bad_input,
                         "the configuration is not JSON of a model configuration: "
                           + std::string{status.message()});
  return {};
}

}  // namespace

runtime::expected<void> read_message_text(std::string_view text, triton::ModelConfig& message,
                                          std::vector<std::string>& unknown) {
  problem_list list;
  field_walk fields(text, list, unknown);
  if (fields.walk(message.GetDescriptor()) && list.problems.empty()) {
    pb::TextFormat::Parser parser;
    parser.RecordErrorsTo(&list);
    parser.SetRecursionLimit(depth_max);
    if (parser.ParseFromString(std::move(fields).take_known(), &message))
      return {};
  }
  if (list.problems.empty())
    list.problems.push_back("it can not be read");
  return runtime::fail(error_code::bad_input, list.problems.front(), list.problems);
}

runtime::expected<void> read_message_json(std::string_view json, triton::ModelConfig& message) {
  const std::string text{json};
  if (auto read = read_json(text, message); !read)
    return read;
  triton::ModelConfigLists lists;
  if (auto read = read_json(text, lists); !read)
    return read;
  std::vector<const pb::FieldDescriptor*> given;
  lists.GetReflection()->ListFields(lists, &given);
  for (const pb::FieldDescriptor* list : given) {
    const auto& value =
      static_cast<const pb::Value&>(lists.GetReflection()->GetMessage(lists, list));
    const auto* field = message.GetDescriptor()->FindFieldByName(list->name());
    if (!value.has_null_value() && message.GetReflection()->FieldSize(message, field) == 0)
      message.add_emptied(list->name());
  }
  return {};
}

std::string write_message_json(const triton::ModelConfig& message, bool with_defaults) {
  pb::util::JsonPrintOptions options;
  options.always_print_primitive_fields = with_defaults;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!pb::util::MessageToJsonString(message, &json, options).ok())
    return "{}";
  return json;
}

void lay_over(triton::ModelConfig& base, const triton::ModelConfig& over) {
  std::vector<const pb::FieldDescriptor*> set;
  over.GetReflection()->ListFields(over, &set);
  for (const std::string& name : over.emptied())
    if (const auto* field = over.GetDescriptor()->FindFieldByName(name))
      set.push_back(field);
  for (const pb::FieldDescriptor* field : set)
    base.GetReflection()->ClearField(&base, field);
  base.MergeFrom(over);
}

}  // namespace dim::models
