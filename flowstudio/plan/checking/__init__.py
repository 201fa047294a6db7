"""How a plan is checked. `plan.rules` is its door."""
