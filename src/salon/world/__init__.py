"""The sandbox world: vocabulary, sprites, scenes, captions and their ground truth."""
