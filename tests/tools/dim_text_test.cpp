#include <sstream>

#include <doctest/doctest.h>

#include "tools/dim/address.hpp"
#include "tools/dim/back_off.hpp"
#include "tools/dim/display_text.hpp"
#include "tools/dim/fields_text.hpp"
#include "tools/dim/job_progress.hpp"
#include "tools/dim/model_file.hpp"
#include "tools/dim/progress_bar.hpp"
#include "tools/dim/table.hpp"
#include "tools/dim/tensor_text.hpp"

using namespace dim::tools;
using namespace std::chrono_literals;
using texts = std::vector<std::string>;

namespace {

/// A console that writes into a text.
struct page {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  console io{in, out, err};
};

}  // namespace

TEST_CASE("addresses are taken apart, and what is none is refused as usage") {
  CHECK(*parse_address("http://127.0.0.1:8080") == address{"127.0.0.1", "8080", ""});
  CHECK(*parse_address("http://dim.example/") == address{"dim.example", "80", ""});
  CHECK(*parse_address("dim.example:81") == address{"dim.example", "81", ""});
  CHECK(*parse_address("http://[::1]:81/a/b/") == address{"::1", "81", "/a/b"});
  CHECK(parse_address("http://[::1]:81")->authority() == "[::1]:81");
  for (auto url : {"", "http://", "https://a", "ftp://a", "http://a:", "http://a:x", "http://a:1 2",
                   "http://user@a", "http://a:123456"}) {
    CAPTURE(url);
    auto refused = parse_address(url);
    REQUIRE(!refused);
    CHECK(refused.error().status == exit_status::usage);
  }
}

TEST_CASE("what goes into a path is percent-encoded") {
  CHECK(percent_encoded("a-Z_0.~") == "a-Z_0.~");
  CHECK(percent_encoded("../a b?c#\xc3\xa4") == "..%2Fa%20b%3Fc%23%C3%A4");
}

TEST_CASE("control characters and broken UTF-8 do not reach the terminal") {
  CHECK(cleaned("plain \xc3\xa4 \xe2\x82\xac") == "plain \xc3\xa4 \xe2\x82\xac");
  CHECK(cleaned("a\x1b[2Jb\n\x7f") == "a?[2Jb??");
  CHECK(cleaned("\xc2\x9b" "31m") == "?31m");
  CHECK(cleaned("\xff\xc3") == "??");
  CHECK(cleaned("a\xe2\x80\xae" "b") == "a?b");
}

TEST_CASE("texts are measured and cut in columns") {
  CHECK(columns_of("abc") == 3);
  CHECK(columns_of("\xc3\xa4\xe2\x82\xac") == 2);
  CHECK(columns_of("\xe6\xbc\xa2") == 2);
  CHECK(cut("abcdef", 6) == "abcdef");
  CHECK(cut("abcdef", 4) == "abc…");
  CHECK(cut("\xe6\xbc\xa2\xe6\xbc\xa2", 3) == "\xe6\xbc\xa2…");
  CHECK(cut("abc", 0) == "");
}

TEST_CASE("sizes, durations and times are written for people") {
  CHECK(size_text(0) == "0 B");
  CHECK(size_text(1'023) == "1023 B");
  CHECK(size_text(1'536) == "1.5 KiB");
  CHECK(size_text(4ull << 30) == "4.0 GiB");
  CHECK(duration_text(0) == "0 ms");
  CHECK(duration_text(999) == "999 ms");
  CHECK(duration_text(59'999) == "59.9 s");
  CHECK(duration_text(200'000) == "3 min 20 s");
  CHECK(duration_text(5 * 3'600'000 + 180'000) == "5 h 3 min");
  CHECK(duration_text(52ll * 3'600'000) == "2 d 4 h");
  CHECK(milliseconds_of("1970-01-02T00:00:01.250Z") == 86'401'250);
  CHECK(milliseconds_of("yesterday") == 0);
  CHECK(time_text("2025-11-20T15:04:05.123Z") == "2025-11-20 15:04:05");
  CHECK(time_text("2025-11-20T15:04:05.123Z", true) == "2025-11-20 15:04:05.123");
  CHECK(time_text("soon") == "soon");
}

TEST_CASE("ids are shortened as far as they stay apart") {
  const texts ids = {"0190c2a4-7b1e-7cc0-8000-000000000001", "0190c2a4-7b1e-7cc0-8000-000000000002",
                     "0190c2a4-7b1f-7cc0-8000-000000000001", "", "short"};
  CHECK(shortened(ids)
        == texts{ids[0], ids[1], "0190c2a4-7b1f", "", "short"});
  CHECK(shortened(texts{ids[0], "0190c2a4-7b1e-7cc0-9000-000000000001"})
        == texts{"0190c2a4-7b1e-7cc0-8", "0190c2a4-7b1e-7cc0-9"});
  CHECK(shortened(texts{ids[0], ids[0]}) == texts{"0190c2a4-7b1e", "0190c2a4-7b1e"});
}

TEST_CASE("a table aligns its columns and shrinks those that may to the terminal's width") {
  page there;
  table shown{{{"ID"}, {"NAME", true}, {"N", false, true}}};
  shown.add({"a", "a rather long name of a job", "1"});
  shown.add({"bb", "b\x1b", "22"});
  shown.print(there.io);
  CHECK(there.out.str()
        == "ID  NAME                          N\n"
           "a   a rather long name of a job   1\n"
           "bb  b?                           22\n");
  there.out.str("");
  there.io.width = 20;
  shown.print(there.io);
  CHECK(there.out.str()
        == "ID  NAME           N\n"
           "a   a rather lo…   1\n"
           "bb  b?            22\n");
  there.out.str("");
  shown.print(there.io, true);
  CHECK(there.out.str().find("a rather long name of a job") != std::string::npos);
}

TEST_CASE("a column in which no row has a text is left out") {
  page there;
  table shown{{{"A"}, {"B"}, {"C"}}};
  shown.print(there.io);
  CHECK(there.out.str() == "A  B  C\n");
  there.out.str("");
  shown.add({"a", "", "c"});
  shown.print(there.io);
  CHECK(there.out.str() == "A  C\na  c\n");
}

TEST_CASE("colours are written only where the console has them") {
  page there;
  CHECK(painted(there.io, colour::red, "x") == "x");
  there.io.has_colour = true;
  CHECK(painted(there.io, colour::red, "x") == "\x1b[31mx\x1b[0m");
  CHECK(painted(there.io, colour::none, "x") == "x");
  CHECK(colour_of("failed") == colour::red);
}

TEST_CASE("a progress bar is drawn on terminals only, within their width, and leaves nothing") {
  page there;
  {
    progress_bar quiet{there.io};
    quiet.draw(0.5, "half");
  }
  CHECK(there.out.str() == "");
  there.io.is_terminal = true;
  there.io.width = 34;
  {
    progress_bar bar{there.io};
    bar.draw(0.5, "half of it all");
  }
  CHECK(there.out.str() == "\r\x1b[K[############------------] half …\r\x1b[K");
}

TEST_CASE("the fields of an object are printed by their paths") {
  page there;
  print_fields(there.io, json::parse(R"({"a": 1, "b": {"c": "x", "none": null},
    "list": ["p", 2], "rows": [{"n": true}], "memory_bytes": 2048, "empty": []})"));
  CHECK(there.out.str()
        == "a             1\n"
           "b.c           x\n"
           "list          p, 2\n"
           "rows[0].n     yes\n"
           "memory_bytes  2.0 KiB\n");
}

TEST_CASE("a tensor's first values are shown, or all of them") {
  const auto tensor = json::parse(R"({"name": "y", "datatype": "FP32", "shape": [2, 7],
    "data": [[1,2,3,4,5,6,7],[8,9,10,11,0.1000000014,13,14]]})");
  CHECK(tensor_text(tensor, false)
        == "y FP32 [2,7]  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0.1, … (14 values)");
  CHECK(tensor_text(tensor, true)
        == "y FP32 [2,7]  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0.1, 13, 14");
}

TEST_CASE("pauses double up to the largest, keep to what the server asks, and end in time") {
  const back_off::time_point start{};
  back_off pauses{start + 3s, 200ms, 500ms};
  CHECK(*pauses.next(start) == 200ms);
  CHECK(*pauses.next(start) == 400ms);
  CHECK(*pauses.next(start) == 500ms);
  CHECK(*pauses.next(start, 2s) == 2s);
  CHECK(!pauses.next(start + 2501ms));
}

TEST_CASE("progress counts the places of the plan that have an answer") {
  const auto executions = json::parse(R"({"executions": [
    {"step": 0, "slot": 0, "status": "completed"}, {"step": 0, "slot": 1, "status": "lost"},
    {"step": 0, "slot": 1, "status": "running"}, {"step": 0, "slot": 2, "status": "scheduled"}]})");
  const auto replicated = progress_of(
    json::parse(R"({"status": "running", "pattern": "replicated", "redundancy": 4})"), executions);
  CHECK(replicated.done == 1);
  CHECK(replicated.total == 4);
  CHECK(replicated.text() == "running, 1 of 4 answers, 1 runs, 1 failed");
  CHECK(replicated.share() == 0.25);
  const auto collaborative = progress_of(
    json::parse(R"({"status": "running", "pattern": "collaborative", "redundancy": 3})"),
    executions);
  CHECK(collaborative.total == 3);
  const auto ended = progress_of(json::parse(R"({"status": "failed", "pattern": "single"})"),
                                 json::object());
  CHECK(ended.is_terminal());
  CHECK(ended.share() == 1.0);
}

TEST_CASE("base64 is that of RFC 4648") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foobar") == "Zm9vYmFy");
}
