"""Sessions for agents: five tools of the Model Context Protocol that answer from REST, within a budget of characters."""
