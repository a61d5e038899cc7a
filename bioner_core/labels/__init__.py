"""Label sets: entity types as data files."""
