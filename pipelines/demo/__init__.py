"""The toy world: a tiny aligned model made on this machine, its data and its suite.

Read in this order: `vocabulary` (words that mean something), `fillers` (what requests are
about), `training_templates` and `evaluation_templates`
(sentences), `answers` (what the model should say), `requests` (prompts and their answers),
`corpus`, `tokenizer` and `base_model` (the aligned model), `suite` (what it is measured on),
`data` (what it is fine-tuned on). EXPERIMENTS.md tells which fine-tuning recipes behave how.
"""
