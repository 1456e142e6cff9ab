"""Judges that are models.

classifier  the probability of one label of a sequence classifier
guard       a generative safety model that writes a label
llm         a language model behind an OpenAI-compatible endpoint; its replies are kept

`model_judges` makes them from config. A version is a digest of all that can change a verdict, known before a model is
loaded. What a judge cannot read is `unscored`, and quoted.
"""
