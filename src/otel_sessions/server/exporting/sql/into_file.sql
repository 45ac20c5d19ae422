INSERT INTO FUNCTION file({path:String}, 'Parquet')
${sql}
