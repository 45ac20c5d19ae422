-- One statement without comments, as the engine reads it; an error for none or several.
SELECT formatQuery({sql:String})
