EXCHANGE TABLES messages_rebuilt AND messages
