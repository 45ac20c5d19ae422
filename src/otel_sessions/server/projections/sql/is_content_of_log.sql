(${is_content} OR (has({content_of_messages:Array(String)}, name) AND ${is_message}))
