"""Decoders: from a model's logits to tagged copies."""
