#include "fixtune/report/svg_document.h"

#include <fmt/format.h>

#include <array>

namespace fixtune {
namespace {

struct Colours {
  const char* light;
  const char* dark;
};

/// Okabe and Ito's palette for colour-blind readers, its black and yellow replaced by what shows on either page.
constexpr std::array<Colours, SvgDocument::series_colours> palette = {{{"#6e7781", "#9aa4af"},
                                                                       {"#0072b2", "#56a5e0"},
                                                                       {"#d55e00", "#f0803c"},
                                                                       {"#b8860b", "#e3b341"},
                                                                       {"#009e73", "#2fc79b"},
                                                                       {"#b5474d", "#f47067"},
                                                                       {"#8250df", "#b083f0"},
                                                                       {"#56b4e9", "#8ddbff"}}};

std::string colour_rules(const char* ink, const char* line, const char* faint, const char* Colours::* side) {
  std::string rules =
      fmt::format("text{{fill:{0}}}.line{{stroke:{1};fill:{1}}}.faint{{stroke:{2}}}", ink, line, faint);
  for (std::size_t s = 0; s < palette.size(); ++s)
    rules += fmt::format(".s{}{{stroke:{};fill:{}}}", s, palette[s].*side, palette[s].*side);
  return rules;
}

const char* name(Anchor anchor) {
  return anchor == Anchor::Start ? "start" : anchor == Anchor::Middle ? "middle" : "end";
}

}  // namespace

SvgDocument::SvgDocument(double width, double height, std::string_view title) {
  head_ = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\"\n"
      "role=\"img\" font-family=\"sans-serif\" font-size=\"12\">\n<title>{2}</title>\n"
      "<style>{3}.ring{{fill:none}}.dashed{{stroke-dasharray:5 4}}\n"
      "@media (prefers-color-scheme:dark){{{4}.ring{{fill:none}}}}</style>\n",
      width, height, xml_escaped(title), colour_rules("#1f2328", "#59636e", "#d1d9e0", &Colours::light),
      colour_rules("#e6edf3", "#9198a1", "#3d444d", &Colours::dark));
}

void SvgDocument::line(double x1, double y1, double x2, double y2, std::string_view css_class) {
  body_ += fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", css_class, x1,
                       y1, x2, y2);
}

void SvgDocument::circle(double x, double y, double radius, std::string_view css_class) {
  body_ += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/>\n", css_class, x, y, radius);
}

void SvgDocument::ring(double x, double y, double radius, std::string_view css_class) {
  circle(x, y, radius, fmt::format("{} ring", css_class));
}

void SvgDocument::box(double x, double y, double width, double height, std::string_view css_class) {
  body_ += fmt::format("<rect class=\"{} ring\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n", css_class,
                       x, y, width, height);
}

void SvgDocument::text(double x, double y, std::string_view content, Anchor anchor) {
  body_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, name(anchor),
                       xml_escaped(content));
}

void SvgDocument::upward_text(double x, double y, std::string_view content, Anchor anchor) {
  body_ += fmt::format(
      "<text x=\"{0:.1f}\" y=\"{1:.1f}\" transform=\"rotate(-90 {0:.1f} {1:.1f})\" text-anchor=\"{2}\">{3}</text>\n", x,
      y, name(anchor), xml_escaped(content));
}

std::string SvgDocument::str() const { return head_ + body_ + "</svg>\n"; }

std::string series_class(std::size_t colour) {
  return fmt::format("s{}", colour % static_cast<std::size_t>(SvgDocument::series_colours));
}

std::string xml_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

}  // namespace fixtune
