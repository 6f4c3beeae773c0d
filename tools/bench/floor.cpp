// dim-floor: the least that can serve a model over HTTP, to measure against. One thread, Beast,
// simdjson and LibTorch; each request is run by itself as soon as it is read, nothing is queued,
// checked or counted. It takes the body of the Open Inference Protocol, in JSON or, with
// `Inference-Header-Content-Length`, binary, with one FP32 input.
#include <ATen/Parallel.h>
#include <torch/script.h>

#include <charconv>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <simdjson.h>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr const char* length_header = "Inference-Header-Content-Length";

struct input {
  std::vector<std::int64_t> shape;
  std::vector<float> numbers;
  /// The bytes behind the JSON of a binary request; null otherwise.
  const char* bytes = nullptr;
  bool wants_binary = false;
};

class floor_model {
public:
  explicit floor_model(const std::string& path) : program_(torch::jit::load(path)) {
    program_.eval();
    program_ = torch::jit::freeze(program_);
  }

  torch::Tensor run(input& from) {
    c10::InferenceMode guard;
    auto* data = from.bytes != nullptr ? const_cast<char*>(from.bytes)
                                       : reinterpret_cast<char*>(from.numbers.data());
    auto tensor = torch::from_blob(data, from.shape, torch::kFloat32);
    return program_.forward({tensor}).toTensor().contiguous();
  }

private:
  torch::jit::Module program_;
};

/// Reads the request; throws simdjson's errors.
input read_input(simdjson::ondemand::parser& parser, const std::string& body,
                 std::size_t json_size) {
  input result;
  simdjson::padded_string text{body.data(), json_size};
  auto document = parser.iterate(text);
  for (auto member : document.get_object()) {
    std::string_view key = member.unescaped_key();
    if (key == "parameters") {
      result.wants_binary = true;
    } else if (key == "inputs") {
      for (auto each : member.value().get_array())
        for (auto field : each.get_object()) {
          std::string_view name = field.unescaped_key();
          if (name == "shape")
            for (auto dim : field.value().get_array())
              result.shape.push_back(dim.get_int64());
          else if (name == "data")
            for (auto number : field.value().get_array())
              result.numbers.push_back(static_cast<float>(double(number.get_double())));
        }
    }
  }
  if (json_size < body.size())
    result.bytes = body.data() + json_size;
  return result;
}

std::string shape_text(const torch::Tensor& output) {
  std::string text;
  for (auto dim : output.sizes())
    text += (text.empty() ? "" : ",") + std::to_string(dim);
  return text;
}

/// The response's JSON; `size` is that of the binary data behind it, 0 when the numbers are in it.
std::string write_json(const torch::Tensor& output, std::size_t size) {
  std::string text = R"({"model_name":"floor","model_version":"1","outputs":[{"name":"y",)"
                     R"("datatype":"FP32","shape":[)"
                     + shape_text(output) + "],";
  if (size > 0)
    return text + R"("parameters":{"binary_data_size":)" + std::to_string(size) + "}}]}";
  text += R"("data":[)";
  auto* numbers = output.data_ptr<float>();
  char digits[32];
  for (std::int64_t place = 0; place < output.numel(); ++place) {
    auto end = std::to_chars(digits, digits + sizeof(digits), numbers[place]).ptr;
    if (place > 0)
      text += ',';
    text.append(digits, end);
  }
  return text + "]}]}";
}

class session : public std::enable_shared_from_this<session> {
public:
  session(asio::ip::tcp::socket socket, floor_model& model)
    : stream_(std::move(socket)), model_(model) {
    stream_.socket().set_option(asio::ip::tcp::no_delay(true));
  }

  void read() {
    parser_.emplace();
    parser_->body_limit(1u << 30);
    http::async_read(stream_, buffer_, *parser_,
                     [me = shared_from_this()](beast::error_code error, std::size_t) {
                       if (!error)
                         me->answer();
                     });
  }

private:
  void answer() {
    auto request = parser_->release();
    response_ = {http::status::ok, 11};
    response_.keep_alive(true);
    try {
      fill(request);
    } catch (const std::exception& problem) {
      response_.result(http::status::bad_request);
      response_.body() = std::string{"{\"error\":\"bad request\"}"};
      std::cerr << problem.what() << "\n";
    }
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [me = shared_from_this()](beast::error_code error, std::size_t) {
                        if (!error)
                          me->read();
                      });
  }

  void fill(const http::request<http::string_body>& request) {
    auto json_size = request.body().size();
    if (auto given = request.find(length_header); given != request.end())
      json_size = std::stoul(std::string{given->value()});
    auto from = read_input(json_, request.body(), json_size);
    auto output = model_.run(from);
    auto size = from.wants_binary ? static_cast<std::size_t>(output.nbytes()) : 0;
    response_.set(http::field::content_type, size > 0 ? "application/octet-stream"
                                                      : "application/json");
    auto& body = response_.body();
    body = write_json(output, size);
    if (size > 0) {
      response_.set(length_header, std::to_string(body.size()));
      body.append(static_cast<const char*>(output.data_ptr()), size);
    }
  }

  beast::tcp_stream stream_;
  floor_model& model_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  simdjson::ondemand::parser json_;
};

void accept(asio::ip::tcp::acceptor& door, floor_model& model) {
  door.async_accept([&](beast::error_code error, asio::ip::tcp::socket socket) {
    if (!error)
      std::make_shared<session>(std::move(socket), model)->read();
    accept(door, model);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: dim-floor PORT MODEL.pt\n";
    return 2;
  }
  at::set_num_threads(1);
  at::set_num_interop_threads(1);
  floor_model model{argv[2]};
  asio::io_context context{1};
  asio::ip::tcp::endpoint here{asio::ip::make_address("127.0.0.1"),
                               static_cast<std::uint16_t>(std::stoi(argv[1]))};
  asio::ip::tcp::acceptor door{context, here};
  std::cout << door.local_endpoint().port() << std::endl;
  accept(door, model);
  context.run();
}
