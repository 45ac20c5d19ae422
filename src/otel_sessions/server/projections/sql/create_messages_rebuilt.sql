CREATE TABLE messages_rebuilt AS messages
