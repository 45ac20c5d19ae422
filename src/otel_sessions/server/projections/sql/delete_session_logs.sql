-- A record that is counted goes with its facts, with which it may be left or sent again meanwhile.
DELETE FROM otel_logs
WHERE CountedAs = 0
    AND (${of_session})
