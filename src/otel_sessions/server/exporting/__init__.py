"""Whole stores or chosen sessions as files: records as they came, and tables for analysis."""
