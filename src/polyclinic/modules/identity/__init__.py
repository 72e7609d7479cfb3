"""Who signs in: local accounts, sessions of the browser, tokens of clients."""
