#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fixtune {

/// Where a text hangs from its point.
enum class Anchor {
  Start,   ///< it begins there
  Middle,  ///< its middle is there
  End      ///< it ends there
};

/// An SVG picture of stated size whose colours suit a light and a dark page. Classes give the colours: `line` (axes),
/// `faint` (grid), and `s0`, `s1`, ... (series, repeating after eight); `dashed` breaks a line. Coordinates are pixels
/// from the upper left corner.
class SvgDocument {
 public:
  static constexpr int series_colours = 8;  ///< colours of series, after which they repeat

  /// `title` is what a reader who cannot see the picture is told.
  SvgDocument(double width, double height, std::string_view title);

  void line(double x1, double y1, double x2, double y2, std::string_view css_class);  ///< Classes may be several.
  void circle(double x, double y, double radius, std::string_view css_class);  ///< A filled one.
  /// A ring: the outline of a circle.
  void ring(double x, double y, double radius, std::string_view css_class);
  /// The outline of a rectangle, from its upper left corner.
  void box(double x, double y, double width, double height, std::string_view css_class);
  void text(double x, double y, std::string_view content, Anchor anchor);  ///< Content is escaped.
  /// Text that reads upwards.
  void upward_text(double x, double y, std::string_view content, Anchor anchor);

  /// The whole document.
  std::string str() const;

 private:
  std::string head_;
  std::string body_;
};

/// The class of a series' colour, by number.
std::string series_class(std::size_t colour);

/// Text with &, <, > and quotation marks written as XML asks.
std::string xml_escaped(std::string_view text);

}  // namespace fixtune
