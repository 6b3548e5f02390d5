"""Learned by benchmarks/contact.py; do not edit by hand.

Weights of: log_width, log_balance, log_slow, log_kurtosis, log_200,
log_300, edge_1, edge_2, before, after.
"""

WEIGHTS: dict[tuple[str, str], tuple[float, tuple[float, ...]]] = {
    ("fine", "single"): (
        11.358,
        (
            6.790,
            2.787,
            1.319,
            0.278,
            1.858,
            2.233,
            1.152,
            1.936,
            -5.187,
            -2.590,
        ),
    ),
    ("fine", "long"): (
        6.052,
        (
            7.049,
            3.391,
            4.596,
            5.783,
            0.871,
            4.203,
            0.810,
            3.203,
            -1.744,
            -0.870,
        ),
    ),
    ("coarse", "single"): (
        -4.762,
        (
            -0.529,
            1.238,
            2.368,
            1.703,
            0.003,
            0.003,
            5.261,
            2.482,
            1.422,
            1.477,
        ),
    ),
    ("coarse", "long"): (
        -3.307,
        (
            2.397,
            5.403,
            3.120,
            5.854,
            -0.007,
            -0.007,
            1.696,
            -3.045,
            -4.383,
            -0.394,
        ),
    ),
}
