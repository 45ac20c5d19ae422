SELECT * FROM file({rows:String}, 'JSONEachRow', '${structure}')
