#include "step/batches.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "fixtune/core/error.h"
#include "fixtune/core/random.h"
#include "fixtune/data/glue.h"
#include "fixtune/train/classification.h"

namespace fixtune::bench {
namespace {

/// Ids below are [CLS], [SEP], unused ones and punctuation.
constexpr Index first_word = 1000;
/// Reading more of a large task would only cost time.
constexpr std::size_t most_examples = 4096;

class RandomSentences {
 public:
  RandomSentences(Index vocabulary, Index sentences, Index shortest, Index longest)
      : vocabulary_(vocabulary), sentences_(sentences), shortest_(shortest), longest_(longest) {}

  PackedBatch operator()() { return batch(shortest_, longest_); }

  PackedBatch batch(Index shortest, Index longest) {
    std::vector<Encoding> encodings;
    std::vector<float> labels;
    std::vector<Index> indices;
    for (Index s = 0; s < sentences_; ++s) {
      encodings.push_back(sentence(below(longest - shortest + 1) + shortest));
      labels.push_back(static_cast<float>(s % 2));
      indices.push_back(s);
    }
    return pack(encodings, labels, indices);
  }

 private:
  Index below(Index bound) { return static_cast<Index>(random_.bits(drawn_++)) % bound; }

  Encoding sentence(Index length) {
    Encoding encoding;
    for (Index t = 0; t < length; ++t)
      encoding.ids.push_back(static_cast<std::int32_t>(first_word + below(vocabulary_ - first_word)));
    encoding.segments.assign(encoding.ids.size(), 0);
    return encoding;
  }

  Index vocabulary_, sentences_, shortest_, longest_;
  RandomStream random_{{0, 0, 0}, tensor_id("sentences")};
  std::uint64_t drawn_ = 0;
};

class EveryLength {
 public:
  EveryLength(RandomSentences sentences, Index shortest, Index longest)
      : sentences_(std::move(sentences)), shortest_(shortest), order_(shuffled_order(longest - shortest + 1, 0, 0)) {}

  PackedBatch operator()() {
    const Index length = shortest_ + order_[static_cast<std::size_t>(next_++) % order_.size()];
    return sentences_.batch(length, length);
  }

 private:
  RandomSentences sentences_;
  Index shortest_;
  std::vector<Index> order_;
  Index next_ = 0;
};

class TaskSentences {
 public:
  TaskSentences(EncodedDataset data, Index sentences)
      : data_(std::move(data)), sentences_(sentences), order_(shuffled_order(data_.size(), 0, 0)) {}

  PackedBatch operator()() {
    if (next_ + sentences_ > data_.size()) next_ = 0;
    PackedBatch batch = data_.batch(order_, next_, sentences_);
    next_ += sentences_;
    return batch;
  }

 private:
  EncodedDataset data_;
  Index sentences_;
  std::vector<Index> order_;
  Index next_ = 0;
};

void check_fits(const BertConfig& config, Index longest) {
  if (config.vocabulary <= first_word) fail("a vocabulary of {} tokens has no words", config.vocabulary);
  if (longest > config.positions) fail("sentences of {} tokens do not fit the model's {}", longest, config.positions);
}

}  // namespace

BatchSource random_batches(const BertConfig& config, Index sentences, Index shortest, Index longest) {
  check_fits(config, longest);
  return RandomSentences(config.vocabulary, sentences, shortest, longest);
}

BatchSource batches_of_every_length(const BertConfig& config, Index sentences, Index shortest, Index longest) {
  check_fits(config, longest);
  return EveryLength(RandomSentences(config.vocabulary, sentences, shortest, longest), shortest, longest);
}

BatchSource task_batches(const std::filesystem::path& model, const std::string& task,
                         const std::filesystem::path& data, Index sentences, Index longest) {
  const Task parsed = parse_task(task);
  Dataset dataset = read_glue(parsed, train_file(parsed, data));
  dataset.examples.resize(std::min(dataset.examples.size(), most_examples));
  if (dataset.label_names.size() != 2) fail("task {} does not have two classes", task);
  if (static_cast<Index>(dataset.examples.size()) < sentences) fail("{}: too few examples", dataset.path);
  return TaskSentences(encode(dataset, WordPiece::from_folder(model), longest), sentences);
}

}  // namespace fixtune::bench
