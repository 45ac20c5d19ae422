SELECT Key, IdHash, AnnotationId FROM annotations FINAL WHERE AnnotationId IN {ids:Array(UInt128)}
