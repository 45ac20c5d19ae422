"""From an acknowledged request to committed rows: a log on disk, one committer, nothing lost, nothing counted twice."""
