"""How edits work: cuts, splices, nesting, fragments. `plan.edits` is their door."""
