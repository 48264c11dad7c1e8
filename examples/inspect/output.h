#pragma once

#include <string>

#include "fixtune/io/json.h"
#include "inspect/proposal.h"

namespace fixtune::inspect {

/// All that was found: of each input its outliers, columns and histogram, of each layer its errors, and the proposal.
Json to_json(const Inspection& inspection, const Proposal& proposal);

/// The layers as one table, and the notes that explain its columns.
std::string markdown(const Inspection& inspection, const Proposal& proposal);

/// The same as one self-contained page: the document of to_json with a heading, drawn by a script of its own.
std::string html(const Json& document);

}  // namespace fixtune::inspect
