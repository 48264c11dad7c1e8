# Formulas of Markdown, $$...$$ and $...$ within a line, as Doxygen writes them.
s/\$\$([^$]+)\$\$/\\f[\1\\f]/g
s/\$([^$ ]|[^$ ][^$]*[^$ ])\$/\\f$\1\\f$/g
