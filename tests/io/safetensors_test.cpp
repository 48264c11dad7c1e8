#include "fixtune/io/safetensors.h"

#include <gmock/gmock.h>

#include <bit>
#include <limits>

#include "../temporary_folder.h"

namespace fixtune {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

template <typename Number>
std::string bytes_of(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

std::string length(std::uint64_t header_bytes) { return bytes_of(std::vector{header_bytes}); }

std::string floats(const std::vector<float>& numbers) { return bytes_of(numbers); }

std::vector<float> values(const Tensor& t) { return {t.data(), t.data() + t.size()}; }

class SafetensorsTest : public testing::Test {
 protected:
  SafetensorsFile open(std::string_view header, std::string_view data) {
    return SafetensorsFile(write(length(header.size()).append(header).append(data)));
  }
  std::filesystem::path write(std::string_view content) {
    return folder_.write("model.safetensors", content);
  }
  std::string refusal(std::string_view content) {
    return error_of([&] { SafetensorsFile file(write(content)); });
  }
  std::string refusal(std::string_view header, std::string_view data) {
    return error_of([&] { open(header, data); });
  }

  TemporaryFolder folder_;
};

TEST_F(SafetensorsTest, ReadsShapesOfUpToTwoDimensions) {
  const SafetensorsFile file = open(R"({"m": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]},
      "v": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]},
      "s": {"dtype": "F32", "shape": [], "data_offsets": [16, 20]},
      "c": {"dtype": "F32", "shape": [1, 1, 1], "data_offsets": [20, 24]}})",
                                    floats({1, 2, 3, 4, 5, 6}));
  EXPECT_THAT(values(file.read("m")), ElementsAre(1, 2));
  EXPECT_EQ(file.read("m").rows(), 2);
  EXPECT_THAT(values(file.read("v")), ElementsAre(3, 4));
  EXPECT_EQ(file.read("v").rows(), 1);
  EXPECT_THAT(values(file.read("s")), ElementsAre(5));
  EXPECT_THAT(error_of([&] { file.read("c"); }), AllOf(HasSubstr("tensor c"), HasSubstr("3 dimensions")));
  EXPECT_THAT(error_of([&] { file.read("x"); }),
              AllOf(HasSubstr("model.safetensors"), HasSubstr("tensor x")));
  EXPECT_TRUE(file.contains("m"));
  EXPECT_FALSE(file.contains("x"));
}

TEST_F(SafetensorsTest, WidensHalvesExactly) {
  const SafetensorsFile file =
      open(R"({"h": {"dtype": "F16", "shape": [6], "data_offsets": [0, 12]},
      "b": {"dtype": "BF16", "shape": [3], "data_offsets": [12, 18]},
      "i": {"dtype": "I64", "shape": [1], "data_offsets": [18, 26]}})",
           bytes_of(std::vector<std::uint16_t>{0x3c00, 0xc000, 0x0001, 0x83ff, 0x7bff, 0xfc00, 0x3f80, 0xc2f7,
                                               0x0001}) +
               length(7));
  EXPECT_THAT(values(file.read("h")), ElementsAre(1.0F, -2.0F, 0x1p-24F, -1023 * 0x1p-24F, 65504.0F,
                                                  -std::numeric_limits<float>::infinity()));
  EXPECT_THAT(values(file.read("b")), ElementsAre(1.0F, -123.5F, std::bit_cast<float>(0x10000U)));
  EXPECT_THAT(error_of([&] { file.read("i"); }), AllOf(HasSubstr("tensor i"), HasSubstr("I64")));
}

TEST_F(SafetensorsTest, ZeroSizeTensorsLoadAnywhere) {
  const SafetensorsFile file = open(R"({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
      "middle": {"dtype": "F32", "shape": [0, 7], "data_offsets": [4, 4]},
      "b": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
      "end": {"dtype": "F32", "shape": [0], "data_offsets": [8, 8]}})",
                                    floats({1, 2}));
  EXPECT_EQ(file.read("middle").cols(), 7);
  EXPECT_EQ(file.read("middle").rows(), 0);
  EXPECT_TRUE(file.read("end").empty());
  EXPECT_THAT(values(file.read("b")), ElementsAre(2));
}

TEST_F(SafetensorsTest, HeaderOrderSpacesAndAlignmentAreFree) {
  const SafetensorsFile file = open(R"(  {"f": {"dtype": "F32", "shape": [1], "data_offsets": [3, 7]},
      "u": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]}}   )",
                                    "abc" + floats({2.5}));
  EXPECT_THAT(values(file.read("f")), ElementsAre(2.5F));
}

TEST_F(SafetensorsTest, MetadataMayBeNullOrAbsent) {
  EXPECT_THAT(open(R"({"__metadata__": null})", "").entries, IsEmpty());
  EXPECT_THAT(open(R"({"__metadata__": {"format": "pt"}})", "").entries, IsEmpty());
  EXPECT_THAT(open("{}", "").entries, IsEmpty());
}

TEST_F(SafetensorsTest, WhatIsNoSafetensorsFileIsSaid) {
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
              HasSubstr("git-lfs"));
  EXPECT_THAT(refusal("<!DOCTYPE html><html></html>"), HasSubstr("web page"));
  EXPECT_THAT(refusal(""), HasSubstr("0 bytes"));
  EXPECT_THAT(refusal("abc"), HasSubstr("3 bytes"));
  EXPECT_THAT(error_of([&] { SafetensorsFile file(folder_.path()); }), HasSubstr("not a regular file"));
  EXPECT_THAT(error_of([&] { SafetensorsFile file(folder_.path() / "absent"); }),
              HasSubstr("absent: No such file"));
}

TEST_F(SafetensorsTest, HeaderLongerThanTheFileIsRefused) {
  EXPECT_THAT(refusal(length(std::uint64_t{1} << 62) + "{}"), HasSubstr("4611686018427387904"));
  EXPECT_THAT(refusal(length(4096) + std::string(192, ' ')), HasSubstr("4096"));
  EXPECT_THAT(refusal(length(~std::uint64_t{0}) + "{}"), HasSubstr("model.safetensors"));
}

TEST_F(SafetensorsTest, MalformedHeaderIsRefused) {
  EXPECT_THAT(refusal("{\"a\": ", ""), HasSubstr("malformed JSON"));
  EXPECT_THAT(refusal("[]", ""), HasSubstr("not a JSON object"));
  for (const char* description : {"1", "{}", R"({"dtype": "F32", "shape": null, "data_offsets": [0, 4]})",
                                  R"({"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]})",
                                  R"({"dtype": "F32", "shape": [1.5], "data_offsets": [0, 4]})",
                                  R"({"dtype": "F32", "shape": [1], "data_offsets": [0]})",
                                  R"({"dtype": "F32", "shape": [1], "data_offsets": [-4, 4]})",
                                  R"({"dtype": "X9", "shape": [1], "data_offsets": [0, 4]})"})
    EXPECT_THAT(refusal(fmt::format("{{\"a\": {}}}", description), floats({1})), HasSubstr("tensor a"))
        << description;
}

std::string described(std::string_view shape, std::string_view offsets) {
  return fmt::format(R"({{"dtype": "F32", "shape": {}, "data_offsets": {}}})", shape, offsets);
}

TEST_F(SafetensorsTest, BytesThatDoNotFitAreRefused) {
  const std::string data = floats({1, 2, 3});
  const auto one = [&](std::string_view shape, std::string_view offsets) {
    return refusal(fmt::format("{{\"a\": {}}}", described(shape, offsets)), data);
  };
  const auto two = [&](std::string_view first, std::string_view second) {
    return refusal(fmt::format("{{\"a\": {}, \"b\": {}}}", described("[1]", first), described("[2]", second)),
                   data);
  };
  EXPECT_THAT(one("[4]", "[0, 16]"), HasSubstr("outside the file"));
  EXPECT_THAT(one("[1]", "[8, 4]"), HasSubstr("outside the file"));
  EXPECT_THAT(one("[2]", "[0, 12]"), HasSubstr("its shape needs 8"));
  EXPECT_THAT(one("[4294967296, 4294967296]", "[0, 0]"), HasSubstr("too large"));
  EXPECT_THAT(one("[18446744073709551615]", "[0, 12]"), HasSubstr("too large"));
  EXPECT_THAT(one("[2]", "[0, 8]"), HasSubstr("belong to no tensor"));
  EXPECT_THAT(one("[2]", "[4, 12]"), HasSubstr("hole"));
  EXPECT_THAT(two("[0, 4]", "[0, 8]"), HasSubstr("overlaps"));
  EXPECT_EQ(two("[0, 4]", "[4, 12]"), "no error");
}

}  // namespace
}  // namespace fixtune
