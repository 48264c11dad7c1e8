#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fixtune/core/aligned_buffer.h"

namespace fixtune {

/// How a file of rows is written.
enum class TableFormat {
  Tsv,   ///< fields between tabs, no quoting: a quote is a character like any other
  Csv,   ///< RFC 4180: quoted fields may hold commas, newlines and doubled quotes
  Jsonl  ///< an object a line; numbers and true or false become their words, so 1, 1.0 and "1" are the same label
};

/// Rows of text under named columns; every row has a field for every column.
struct Table {
  std::vector<std::string> columns;  ///< their names, or numbers from 0 where the file has no header
  std::vector<std::vector<std::string>> rows;  ///< of fields, as many as columns
  std::vector<Index> lines;  ///< where each row starts in its file, from 1
};

/// The format a file's extension stands for (.tsv, .txt, .csv, .jsonl, .ndjson). Throws Error for any other.
TableFormat format_of(const std::filesystem::path& path);

/// Reads a whole UTF-8 table; without a header the columns are "0", "1" and so on, in JSON Lines the first row's keys.
/// A byte order mark, carriage returns before newlines and blank lines are dropped; keys that the first row of a JSON
/// Lines file lacks are ignored. Throws Error naming the file and the line of a row that does not fit, or of bytes
/// that are not UTF-8.
Table read_table(const std::filesystem::path& path, TableFormat format, bool has_header);

}  // namespace fixtune
