"""Source registries that ship with gongkai."""
