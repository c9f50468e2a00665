"""What the comparison asks, and how its verdicts read."""

from robustshape.analysis.answers import Question

QUESTIONS = (
    Question(
        "cross-1",
        whether="any number of clean features tells more about corrupted accuracy than clean accuracy does",
        yes="at least one number of clean features tells something about corrupted accuracy that clean accuracy does not",
        opposite="numbers of clean features mislead about corrupted accuracy",
        nothing="no number of clean features tells anything about corrupted accuracy that clean accuracy does not",
        quantity="largest partial r",
    ),
    Question(
        "cross-2",
        whether="purity and k* order networks alike",
        yes="purity and k* order networks alike",
        opposite="purity and k* order networks in opposite ways",
        nothing="purity and k* order networks independently of each other",
        quantity="rank correlation",
    ),
)
