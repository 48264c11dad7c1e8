#include <gmock/gmock.h>

#include <cstring>

#include "../temporary_folder.h"
#include "fixtune/io/file.h"
#include "fixtune/io/safetensors.h"

namespace fixtune {
namespace {

using testing::HasSubstr;

class SafetensorsWriteTest : public testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "model.safetensors"; }
  std::uint64_t header_bytes() const {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, read_file(path()).data(), sizeof bytes);
    return bytes;
  }

  TemporaryFolder folder_;
};

TEST_F(SafetensorsWriteTest, ReadsBackBitForBit) {
  Tensor weight = Tensor::filled(2, 3, 0x1p-140F);
  weight(1, 2) = -0.0F;
  const Tensor bias = Tensor::filled(1, 3, 1.5F);
  const Tensor nothing(0, 4);
  const Tensor scalar = Tensor::filled(1, 1, 7);
  write_safetensors(path(), {{"weight", {2, 3}, &weight},
                             {"bias", {3}, &bias},
                             {"nothing", {0, 4}, &nothing},
                             {"scalar", {}, &scalar}});
  const SafetensorsFile file(path());
  EXPECT_EQ(file.entries.size(), 4U);
  EXPECT_EQ(file.entries.at("bias").shape, std::vector<Index>{3});
  EXPECT_TRUE(file.entries.at("scalar").shape.empty());
  EXPECT_EQ(std::memcmp(file.read("weight").data(), weight.data(), weight.bytes()), 0);
  EXPECT_EQ(std::memcmp(file.read("bias").data(), bias.data(), bias.bytes()), 0);
}

TEST_F(SafetensorsWriteTest, DataStartsAtAMultipleOfEight) {
  const Tensor t = Tensor::zeros(1, 1);
  for (std::string name = "a"; name.size() <= 9; name += 'a') {
    write_safetensors(path(), {{name, {1}, &t}});
    EXPECT_EQ(header_bytes() % 8, 0U) << name;
  }
  const std::string header = read_file(path()).substr(8, header_bytes());
  EXPECT_EQ(parse_json(header, "header")["__metadata__"], Json({{"format", "pt"}}));
}

TEST_F(SafetensorsWriteTest, TensorsThatDoNotFitAreRefused) {
  const Tensor t = Tensor::zeros(2, 2);
  EXPECT_THAT(error_of([&] { write_safetensors(path(), {{"w", {2, 3}, &t}}); }), HasSubstr("tensor w"));
  EXPECT_THAT(error_of([&] {
                write_safetensors(path(), {{"w", {4}, &t}, {"w", {4}, &t}});
              }),
              HasSubstr("tensor w"));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

}  // namespace
}  // namespace fixtune
