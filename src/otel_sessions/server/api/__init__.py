"""The REST API: sessions, their traces and spans, session keys, cohorts, live changes and health."""
