"""Sealed values, blind indexes, sealed files, masks. The suite and the place of the keys are settings."""

from bureau.secrecy.files import open_file, seal_file
from bureau.secrecy.keys import SecrecyError, key_file, rotate
from bureau.secrecy.masks import mask_account, mask_id, mask_phone
from bureau.secrecy.values import (
    BLIND_FIELDS,
    FIELDS,
    blind,
    blinder,
    open_sealed,
    opener,
    seal,
    sealer,
)

__all__ = [
    "BLIND_FIELDS",
    "FIELDS",
    "SecrecyError",
    "blind",
    "blinder",
    "key_file",
    "mask_account",
    "mask_id",
    "mask_phone",
    "open_file",
    "open_sealed",
    "opener",
    "rotate",
    "seal",
    "seal_file",
    "sealer",
]
