"""Trains a LoRA adapter on the assistant's tokens; writes safetensors and a manifest."""
