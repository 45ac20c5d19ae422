"""Run ClickHouse from its shared library: `python main.py LIBRARY ARGUMENT...` is `clickhouse ARGUMENT...`."""

from __future__ import annotations

import ctypes
import sys

library = ctypes.CDLL(sys.argv[1])
library.chdb_query_cmdline.restype = ctypes.c_int
arguments = [b"clickhouse", *(argument.encode() for argument in sys.argv[2:])]
sys.exit(library.chdb_query_cmdline(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments)))
