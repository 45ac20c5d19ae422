(${which}) AND (${of_log} OR (Body != '' AND ${is_message}))
