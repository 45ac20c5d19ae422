CREATE TABLE log_places_rebuilt (Row FixedString(16), CountedIn UInt128, CountedAs UInt64) ENGINE = Join(ANY, LEFT, Row)
