"""Similarities of two activation matrices: `value` has the published sign, `misalignment` is minimised."""

from ._base import Similarity
from ._cka import CKA, CKA_DEBIASED, cka
from ._factored import Factored, traces, whole
from ._gram import double_centre, flatten, gram, participation_ratio, scaled_gram, u_centre
from ._ridge import RIDGE, RIDGE_100, ridge, ridge_similarity
from ._rsa import RSA, rsa
from ._sp import SP, sp

__all__ = ["CKA", "CKA_DEBIASED", "RIDGE", "RIDGE_100", "RSA", "SP", "Factored", "Similarity", "cka",
           "double_centre", "find", "flatten", "gram", "participation_ratio", "ridge", "ridge_similarity",
           "rsa", "scaled_gram", "sp", "traces", "u_centre", "whole"]

SIMILARITIES = {"cka": CKA, "ridge": RIDGE, "ridge-100": RIDGE_100, "rsa": RSA, "sp": SP}


def find(similarity, *, debiased=False):
    """The Similarity of that name, or the one given; `debiased` exists for "cka" alone.

    >>> find("cka", debiased=True).name
    'cka (debiased)'
    """
    if debiased and similarity != "cka":
        raise ValueError(f"debiased=True is defined for similarity='cka' alone, received {similarity!r}")
    if isinstance(similarity, Similarity):
        return similarity
    if similarity not in SIMILARITIES:
        raise ValueError(f"no similarity {similarity!r}: choose from {sorted(SIMILARITIES)} "
                         "or pass a gl.similarity.Similarity")
    return CKA_DEBIASED if debiased else SIMILARITIES[similarity]
