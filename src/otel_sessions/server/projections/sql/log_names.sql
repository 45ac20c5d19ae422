[EventName, LogAttributes['event.name'], Body]
