"""Comments on pull requests: one a key, found again and kept up to date."""
