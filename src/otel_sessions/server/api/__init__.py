"""The API over HTTP: sessions, their traces and spans, keys, cohorts, changes as they happen, health."""
