mapFilter((name, letter) -> NOT ${is_content}, ${types})
