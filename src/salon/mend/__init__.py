"""From findings to a model without them: groups and a split before anything else, two ways to mend, and the proof."""
