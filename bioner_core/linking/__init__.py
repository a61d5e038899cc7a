"""From mentions to concepts: which concept of a vocabulary a mention means. No model is asked."""
