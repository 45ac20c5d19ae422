"""The write-ahead log: an acknowledged request is in a file here until its rows are stored."""
