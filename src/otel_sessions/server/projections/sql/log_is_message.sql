hasAny({content_messages:Array(String)}, [EventName, LogAttributes['event.name']])
