#include "step/options.h"

#include <fmt/format.h>

namespace fixtune::bench {

void StepOptions::add_to(CLI::App& app) {
  app.add_option("--model", model, "Hugging Face folder of a BERT")->required()->check(CLI::ExistingDirectory);
  app.add_option("--section", sections,
                 "step: seconds a step and their parts; tokens: 2048 to 16384 tokens a step; sentences: 16 to 512 "
                 "tokens a sentence; memory: peak, a process each; resident: memory over --steps steps")
      ->delimiter(',')
      ->check(CLI::IsMember({"step", "tokens", "sentences", "memory", "resident"}))
      ->capture_default_str();
  app.add_option("--recipes", recipes, "presets or recipe files (default: the section's)")->delimiter(',');
  app.add_option("--rival", rivals, "NAME=COMMAND of a program to step beside (see tools/pytorch_step.py)");
  app.add_option("--batch", batch, "sentences a step")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--length", length, "tokens a sentence, or the most")
      ->check(CLI::Range(3, 512))
      ->capture_default_str();
  app.add_option("--lengths", lengths, "fixed: all of --length; mixed: random from 3 to --length; every: one length a step, each of 3 to "
                 "--length in turn, in a random order")
      ->check(CLI::IsMember({"fixed", "mixed", "every"}))
      ->capture_default_str();
  auto* folder = app.add_option("--data", data, "folder of --task")->check(CLI::ExistingDirectory);
  app.add_option("--task", task, "take the sentences of this GLUE task instead (two classes)")->needs(folder);
  app.add_option("--warmup", warmup,
                 "steps before the first that counts, where a recipe or rival has a process of its own")
      ->capture_default_str();
  app.add_option("--steps", steps, "steps of section resident")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--sweep-tokens", sweep_tokens, "tokens a step in section sentences")
      ->check(CLI::Range(512, 1 << 20))
      ->capture_default_str();
  app.add_option("--memory-of", memory_of)->group("");  // how section memory calls the program again
}

std::vector<std::string> StepOptions::recipes_or(std::vector<std::string> others) const {
  return recipes.empty() ? others : recipes;
}

std::string StepOptions::model_name() const {
  const std::filesystem::path folder = std::filesystem::weakly_canonical(model);
  return folder.filename().string();
}

std::string StepOptions::batch_words() const {
  if (!task.empty()) return fmt::format("{} sentences of {}, at most {} tokens", batch, task, length);
  if (lengths == "mixed") return fmt::format("{} sentences of 3 to {} tokens", batch, length);
  if (lengths == "every") return fmt::format("{} sentences of one of 3 to {} tokens", batch, length);
  return fmt::format("{} x {} tokens", batch, length);
}

}  // namespace fixtune::bench
