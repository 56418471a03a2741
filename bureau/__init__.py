"""The ground floor: organisation, accounts, audit, and the tools every room uses."""

import os

# Names are read character by character: the dictionary of phrases would cost every process 0.15 s and 40 MB.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
