"""Chat models behind OpenAI's API and the many services that speak it."""
