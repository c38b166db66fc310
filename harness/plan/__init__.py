"""From scenarios and axes to the cases of a run."""
