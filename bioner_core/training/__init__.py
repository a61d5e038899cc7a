"""Fine-tuning a base model to tag."""
