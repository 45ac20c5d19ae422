-- Lists read all ids, as sessions of equal measure are in their order; these are random, so that more compression gains little.
ALTER TABLE sessions MODIFY COLUMN Id CODEC(LZ4)
