"""The conversation of a session: each message once, when it was new."""
