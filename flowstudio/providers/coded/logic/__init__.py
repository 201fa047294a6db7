"""Pure work on values: templates, lists of objects, text. Nothing here leaves the process."""
