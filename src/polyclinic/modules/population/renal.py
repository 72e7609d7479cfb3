"""Estimated glomerular filtration rate: CKD-EPI 2021, creatinine, without race.

Inker LA et al., N Engl J Med 2021;385:1737-1749:
eGFR = 142 x min(Scr/k, 1)^a x max(Scr/k, 1)^-1.200 x 0.9938^age x 1.012 if female, with
k = 0.7 and a = -0.241 for women, k = 0.9 and a = -0.302 for men.
"""

from typing import Final

from polyclinic.modules.population.model import Sex

_K: Final = {"female": 0.7, "male": 0.9}
_ALPHA: Final = {"female": -0.241, "male": -0.302}
_FACTOR: Final = {"female": 1.012, "male": 1.0}
_SLOPE: Final = -1.2
_AGING: Final = 0.9938


def filtration_rate(creatinine: float, age: int, sex: Sex) -> float:
    """Return the eGFR in mL/min/1.73 m2 of an adult from serum creatinine in mg/dL."""
    ratio = creatinine / _K[sex]
    shape = min(ratio, 1.0) ** _ALPHA[sex] * max(ratio, 1.0) ** _SLOPE
    return float(142 * shape * _AGING**age * _FACTOR[sex])


def creatinine_for(rate: float, age: int, sex: Sex) -> float:
    """Return the creatinine in mg/dL that gives a reduced eGFR (the branch above k)."""
    whole = 142 * _AGING**age * _FACTOR[sex]
    return float(_K[sex] * (rate / whole) ** (1 / _SLOPE))
