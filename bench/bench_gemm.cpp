// The products alone: INT8 on every back end, FP32 by oneDNN's matmul and by dnnl_sgemm, BF16, for the layers of
// BERT-base and MiniLM in the three forms of a training step; against the best FP32 and against the register peak.
//
// The right operand is packed inside the timing on both sides, and for the two products with W in a second comparison
// before it on both sides. The peak loops run in the same rounds, so that a clock that changes
// changes both. C is written in int32 or FP32 and stays where it is.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fixtune/gemm/float_product.h"
#include "fixtune/gemm/packed_product.h"
#include "gemm/backends.h"
#include "gemm/forms.h"
#include "gemm/onednn_fp32.h"
#include "gemm/register_peak.h"
#include "program/program.h"
#include "program/rounds.h"
#include "program/synthetic.h"

namespace {

using namespace fixtune;
using namespace fixtune::bench;

/// What one combination of layer, tokens and form gave.
struct Measurement {
  LayerShape layer;
  Index tokens = 0;
  Product product;
  Medians medians;

  double best_fp32() const { return std::min(medians.at("fp32 matmul"), medians.at("fp32 sgemm")); }
  double int8() const { return medians.at("int8"); }
  double int8_ratio() const { return best_fp32() / int8(); }
  double bf16_ratio() const { return best_fp32() / medians.at("bf16"); }
  double rate(double seconds) const { return product.operations() / seconds; }
};

struct Options {
  std::vector<Index> tokens = {128, 512, 1024, 4096};
  PeakInstructions peak = PeakInstructions::Best;
};

Options options;
std::vector<PeakLoop> peaks;
std::vector<IntegerBackend> backends;
std::vector<Measurement> measurements;

std::string contestant_name(const PeakLoop& peak) { return fmt::format("peak {}", peak.format); }

/// The share of the register peak that a product in that format reached, where there is a peak loop.
std::optional<double> share_of_peak(const Measurement& m, std::string_view format, double seconds) {
  for (const PeakLoop& peak : peaks)
    if (peak.format == format) return m.rate(seconds) * m.medians.at(contestant_name(peak)) / peak.operations();
  return std::nullopt;
}

IntegerBackend backend_in_use(const Product& p) { return integer_backend_for(p.m, p.n, p.k); }

Json cell(std::optional<double> value) { return value ? Json(*value) : Json(); }

struct Int8Operands {
  explicit Int8Operands(const Product& p)
      : a(normal_codes(p.m * p.k, 1)), b(normal_codes(p.k * p.n, 2)), c(p.m * p.n), product(p) {}

  Int8View view_a() const { return {a.data(), product.a_rows(), product.a_cols(), product.a_cols()}; }
  Int8View view_b() const { return {b.data(), product.b_rows(), product.b_cols(), product.b_cols()}; }
  void multiply() {
    integer_product(view_a(), product.transpose_a, view_b(), product.transpose_b, c.data(), product.n);
  }
  void multiply(IntegerBackend backend) {
    integer_product(backend, view_a(), product.transpose_a, view_b(), product.transpose_b, c.data(), product.n);
  }

  void pack() { packed = PackedColumns::pack(view_b(), product.transpose_b); }
  void multiply_packed() { packed_product(PackedRows::view(view_a()), packed, c.data(), product.n); }

  PackedColumns packed;
  AlignedBuffer<std::int8_t> a, b;
  AlignedBuffer<std::int32_t> c;
  Product product;
};

struct FloatOperands {
  explicit FloatOperands(const Product& p)
      : a(normal_values(p.a_rows(), p.a_cols(), 1)),
        b(normal_values(p.b_rows(), p.b_cols(), 2)),
        c(p.m, p.n),
        product(p),
        matmul(p.m, p.n, p.k, p.transpose_a, p.transpose_b),
        packed_matmul(p.m, p.n, p.k, p.transpose_a, p.transpose_b, PackB::Beforehand) {}

  void multiply(FloatKind kind) { float_product(kind, a, product.transpose_a, b, product.transpose_b, c.map()); }

  Tensor a, b, c;
  Product product;
  OneDnnFp32Matmul matmul, packed_matmul;
};

void measure(benchmark::State& state, const LayerShape& layer, Index tokens, const Product& product) {
  Int8Operands integers(product);
  FloatOperands floats(product);
  std::vector<Contestant> contestants = {
      {"int8", [&] { integers.multiply(); }},
      {"fp32 matmul", [&] { floats.matmul(floats.a.data(), floats.b.data(), floats.c.data()); }},
      {"fp32 sgemm", [&] { floats.multiply(FloatKind::FP32); }},
      {"bf16", [&] { floats.multiply(FloatKind::BF16); }}};
  for (const IntegerBackend backend : backends)
    if (backend != backend_in_use(product))
      contestants.push_back({fmt::format("int8 {}", name(backend)), [&, backend] { integers.multiply(backend); }});
  if (product.right_is_weight()) {
    integers.pack();
    floats.packed_matmul.pack(floats.b.data());
    contestants.push_back({"int8, W packed", [&] { integers.multiply_packed(); }});
    contestants.push_back(
        {"fp32, W packed", [&] { floats.packed_matmul(floats.a.data(), nullptr, floats.c.data()); }});
  }
  for (const PeakLoop& peak : peaks) contestants.push_back({contestant_name(peak), peak});
  measurements.push_back({layer, tokens, product, interleaved_medians(state, contestants)});
}

ClosingTable product_table() {
  ClosingTable table(
      "Products against the best FP32",
      {"model", "layer", "tokens", "form", "INT8 ms", "INT8 G/s", "of peak", "FP32 matmul ms", "FP32 sgemm ms",
       "best FP32 G/s", "FP32 of peak", "BF16 ms", "BF16 G/s", "BF16 ratio", "INT8 ratio"},
      "G/s: 10^9 multiplications and additions a second. Ratio: time of the better FP32 over this one's.");
  for (const Measurement& m : measurements) {
    const double bf16 = m.medians.at("bf16");
    table.add({m.layer.model, m.layer.layer, m.tokens, m.product.form, 1e3 * m.int8(), 1e-9 * m.rate(m.int8()),
               cell(share_of_peak(m, "INT8", m.int8())), 1e3 * m.medians.at("fp32 matmul"),
               1e3 * m.medians.at("fp32 sgemm"), 1e-9 * m.rate(m.best_fp32()),
               cell(share_of_peak(m, "FP32", m.best_fp32())), 1e3 * bf16, 1e-9 * m.rate(bf16), m.bf16_ratio(),
               m.int8_ratio()});
  }
  return table;
}

ClosingTable backend_table() {
  std::vector<std::string> columns = {"model", "layer", "tokens", "form"};
  for (const IntegerBackend backend : backends) columns.emplace_back(name(backend));
  columns.emplace_back("in use");
  ClosingTable table("INT8 back ends, G/s", columns, "The reference back end (three loops) is left out.");
  for (const Measurement& m : measurements) {
    std::vector<Json> row = {m.layer.model, m.layer.layer, m.tokens, m.product.form};
    const IntegerBackend used = backend_in_use(m.product);
    for (const IntegerBackend backend : backends)
      row.emplace_back(
          1e-9 * m.rate(backend == used ? m.int8() : m.medians.at(fmt::format("int8 {}", name(backend)))));
    row.emplace_back(name(used));
    table.add(std::move(row));
  }
  return table;
}

ClosingTable packed_table() {
  ClosingTable table("Products with W packed beforehand on both sides",
                     {"model", "layer", "tokens", "form", "INT8 ms", "FP32 matmul ms", "FP32 sgemm ms", "INT8 ratio"},
                     "sgemm cannot take a packed W. Ratio: time of the better FP32 over INT8's. All forms: with dY^T X, "
                     "which has no W, from the table above.");
  std::vector<double> ratios, all_forms;
  for (const Measurement& m : measurements) {
    if (!m.product.right_is_weight()) {
      all_forms.push_back(m.int8_ratio());
      continue;
    }
    const double int8 = m.medians.at("int8, W packed");
    const double matmul = m.medians.at("fp32, W packed"), sgemm = m.medians.at("fp32 sgemm");
    ratios.push_back(std::min(matmul, sgemm) / int8);
    all_forms.push_back(ratios.back());
    table.add({m.layer.model, m.layer.layer, m.tokens, m.product.form, 1e3 * int8, 1e3 * matmul, 1e3 * sgemm,
               ratios.back()});
  }
  const auto add_mean = [&](const char* forms, const std::vector<double>& of) {
    if (!of.empty()) table.add({"both", "all", "", forms, Json(), Json(), Json(), geometric_mean(of)});
  };
  add_mean("X W^T, dY W", ratios);
  add_mean("all forms", all_forms);
  return table;
}

ClosingTable peak_table() {
  ClosingTable table("Register peaks", {"format", "instruction", "G/s"},
                     "Median over all rounds of the loop's medians.");
  for (const PeakLoop& peak : peaks) {
    std::vector<double> rates;
    for (const Measurement& m : measurements)
      rates.push_back(1e-9 * peak.operations() / m.medians.at(contestant_name(peak)));
    table.add({peak.format, peak.instruction, median(rates)});
  }
  return table;
}

/// Adds the geometric means over the measurements that `belongs` accepts, if there are any.
template <typename Belongs>
void add_mean(ClosingTable& table, std::string_view model, const std::string& over, Belongs&& belongs) {
  std::vector<double> int8, bf16, int8_peak, fp32_peak;
  for (const Measurement& m : measurements) {
    if ((!model.empty() && m.layer.model != model) || !belongs(m)) continue;
    int8.push_back(m.int8_ratio());
    bf16.push_back(m.bf16_ratio());
    if (const auto share = share_of_peak(m, "INT8", m.int8())) int8_peak.push_back(*share);
    if (const auto share = share_of_peak(m, "FP32", m.best_fp32())) fp32_peak.push_back(*share);
  }
  if (int8.empty()) return;
  const auto mean = [](const std::vector<double>& values) {
    return values.empty() ? Json() : Json(geometric_mean(values));
  };
  table.add({model.empty() ? "both" : model, over, mean(int8), mean(bf16), mean(int8_peak), mean(fp32_peak)});
}

ClosingTable mean_table() {
  ClosingTable table("Products, geometric means",
                     {"model", "over", "INT8 ratio", "BF16 ratio", "INT8 of peak", "FP32 of peak"});
  const auto all = [](const Measurement&) { return true; };
  for (const std::string_view model : models) {
    add_mean(table, model, "all", all);
    for (const Product& p : products_of(layer_shapes[0], 1))
      add_mean(table, model, std::string(p.form), [&](const Measurement& m) { return m.product.form == p.form; });
    for (const Index tokens : options.tokens)
      add_mean(table, model, fmt::format("{} tokens", tokens),
               [=](const Measurement& m) { return m.tokens == tokens; });
  }
  add_mean(table, "", "all", all);
  return table;
}

void prepare(Program& program) {
  peaks = peak_loops(options.peak);
  backends = working_backends();
  for (const std::string& line : integer_backend_report()) fmt::print("{}\n", line);
  for (const LayerShape& layer : layer_shapes)
    for (const Index tokens : options.tokens)
      for (const Product& product : products_of(layer, tokens))
        program.measure(fmt::format("{} {}, {} tokens, {}", layer.model, layer.layer, tokens, product.form),
                        [=](benchmark::State& state) { measure(state, layer, tokens, product); });
}

void close(Program& program) {
  program.close_with(product_table());
  program.close_with(backend_table());
  program.close_with(packed_table());
  program.close_with(peak_table());
  program.close_with(mean_table());
}

}  // namespace

int main(int argc, char** argv) {
  Program program("bench_gemm", "INT8 products against FP32, BF16 and the register peak.", /*rounds=*/5);
  program.options()
      .add_option("--tokens", options.tokens, "numbers of tokens")
      ->delimiter(',')
      ->capture_default_str();
  const std::map<std::string, PeakInstructions> names = {
      {"best", PeakInstructions::Best}, {"avx_vnni", PeakInstructions::AvxVnni}, {"avx2", PeakInstructions::Avx2}};
  program.options()
      .add_option("--peak", options.peak, "instructions of the peak loops, at most: best, avx_vnni, avx2")
      ->transform(CLI::CheckedTransformer(names))
      ->default_str("best");
  return program.run(
      argc, argv, [&] { prepare(program); }, [&] { close(program); });
}
