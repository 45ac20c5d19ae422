ALTER TABLE otel_logs UPDATE
    CountedIn = joinGet({places:String}, 'CountedIn', ${row_id}),
    CountedAs = joinGet({places:String}, 'CountedAs', ${row_id})
WHERE ${row_id} IN (SELECT Row FROM log_places_rebuilt)
