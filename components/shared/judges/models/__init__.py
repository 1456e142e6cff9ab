"""Judges that are models.

classifier  the probability of one label of a sequence classifier
guard       a generative safety model that writes a label
llm         a language model behind an OpenAI-compatible endpoint; its replies are kept

`build` makes them from config. Every version is a digest of all that can change a verdict, and is known before
a model is loaded. What cannot be read is `unscored`, with the words that could not be read.
"""
