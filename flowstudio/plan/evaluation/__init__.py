"""What expressions are made of: paths, the metered sandbox, filters, templates. `plan.expression` is their door."""
