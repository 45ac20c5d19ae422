"""What spans and log records hold of a conversation, in any dialect, as messages of one form."""
