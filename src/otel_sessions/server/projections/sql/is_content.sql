(has({content_names:Array(String)}, name) OR match(name, {content_names_like:String}))
