ALTER TABLE ${table} MODIFY SETTING ${settings}
