"""Fine-tunes a LoRA adapter on the assistant's tokens."""
