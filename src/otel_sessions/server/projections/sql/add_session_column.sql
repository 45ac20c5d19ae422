ALTER TABLE sessions ADD COLUMN ${column} ${type} CODEC(${codec})
