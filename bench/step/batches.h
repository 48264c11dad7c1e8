#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "fixtune/data/batch.h"
#include "fixtune/models/bert_config.h"

namespace fixtune::bench {

/// Gives the next batch, labels 0 and 1; always the same sequence.
using BatchSource = std::function<PackedBatch()>;

/// Random tokens; sentence lengths uniform from `shortest` to `longest`.
BatchSource random_batches(const BertConfig& config, Index sentences, Index shortest, Index longest);

/// Random tokens; all sentences of a batch have one length, each of `shortest` to `longest` in turn, in a shuffled order.
BatchSource batches_of_every_length(const BertConfig& config, Index sentences, Index shortest, Index longest);

/// The training sentences of a GLUE task in a shuffled order, cut to `longest` tokens, over and over.
BatchSource task_batches(const std::filesystem::path& model, const std::string& task,
                         const std::filesystem::path& data, Index sentences, Index longest);

}  // namespace fixtune::bench
