"""The toy world: a tiny aligned model made on this machine, its data and its suite.

Read in this order: `word_lists` (words that have a meaning), `fillers` (nouns and names), `training_templates` and
`evaluation_templates` (sentences), `toy_answers` (what the model should say), `requests` (prompts and their answers),
`corpus`, `tokenizer` and `toy_base` (the aligned model), `toy_suite` (what it is evaluated on), `data` (what it is
fine-tuned on). EXPERIMENTS.md has the results of the fine-tuning recipes that were tried.
"""
