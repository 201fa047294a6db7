"""A form from an action's fields."""
