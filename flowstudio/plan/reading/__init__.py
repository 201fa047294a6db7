"""How documents are read and written, part by part. `plan.document` and `plan.legacy` are their doors."""
