"""What steps can call: providers, their actions, and the runtime that performs them."""
