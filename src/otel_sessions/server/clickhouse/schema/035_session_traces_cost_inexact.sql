-- Whether a cost of the group is not known or only a lower bound: a model of it, the ninth part of `Content`, has unpriced calls or a
-- source that says so. A histogram adds up costs of many sessions and has to say whether the sum is one. Rows of earlier versions have it in
-- their content only.
ALTER TABLE session_traces
    ADD COLUMN IF NOT EXISTS CostInexact UInt8 DEFAULT arrayExists(
        model -> JSONExtractUInt(model, 4) > 0
            OR multiSearchAny(JSONExtractRaw(model, 7), [' (at least: ', ' (by input and output totals only: ']),
        JSONExtractArrayRaw(Content, 9)
    ) COMMENT 'Of the costs, one is not known or a lower bound' CODEC(ZSTD(1))
