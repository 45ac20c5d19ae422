ALTER TABLE ${table} DROP DETACHED PART {name:String}
