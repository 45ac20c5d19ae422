arrayExists((key, id) -> key = {key:String} AND id = {session:String}, GivenKeys, GivenIds)
