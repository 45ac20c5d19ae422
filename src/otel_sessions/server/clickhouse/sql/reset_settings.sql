ALTER TABLE ${table} RESET SETTING ${names}
