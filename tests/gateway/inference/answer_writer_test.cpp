#include "gateway/inference/answer_writer.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace {

using namespace dim;
using nlohmann::json;

models::tensor text_output(const std::string& name, std::string_view bytes) {
  return {name, models::datatype::bytes, {1}, runtime::bytes::copy_of(bytes), {}, bytes.size()};
}

actors::inference_done done_with(models::tensor_list outputs) {
  actors::inference_done done;
  done.model = "m";
  done.version = "2";
  done.outputs = std::move(outputs);
  return done;
}

TEST_CASE("texts with an embedded NUL come out as JSON escapes") {
  auto reply = gateway::write_answer({}, done_with({text_output("y", {"\3\0\0\0a\0b", 7})}));
  REQUIRE(reply);
  CHECK(reply->body.find("a\\u0000b") != std::string::npos);
  CHECK(json::parse(reply->body)["outputs"][0]["data"][0] == std::string("a\0b", 3));
  CHECK(!gateway::write_answer({}, done_with({text_output("y", {"\1\0\0\0\xff", 5})})));
}

TEST_CASE("binary outputs stand behind the JSON in the order of the outputs, uncopied") {
  auto first = text_output("a", {"\1\0\0\0x", 5});
  auto second = text_output("b", {"\1\0\0\0y", 5});
  gateway::answer_form form;
  form.id = "i";
  form.is_binary_output = true;
  auto reply = gateway::write_answer(form, done_with({first, second}));
  REQUIRE(reply);
  REQUIRE(reply->tail.size() == 2);
  CHECK(reply->tail[0].data() == first.data.data());
  CHECK(reply->content_length() == reply->body.size() + 10);
  CHECK(json::parse(reply->body)["outputs"][1]["parameters"]["binary_data_size"] == 5);
}

TEST_CASE("a binary output without bytes has the size 0 and adds nothing") {
  gateway::answer_form form;
  form.is_binary_output = true;
  models::tensor none{"y", models::datatype::fp32, {0, 4}, {}, {}, 0};
  auto reply = gateway::write_answer(form, done_with({none}));
  REQUIRE(reply);
  CHECK(reply->tail.empty());
  CHECK(json::parse(reply->body)["outputs"][0]["parameters"]["binary_data_size"] == 0);
}

}  // namespace
